"""What people type to sign in."""

from django import forms


class SignInForm(forms.Form):
    username = forms.CharField(max_length=120, error_messages={"required": "请输入登录名"})
    password = forms.CharField(
        max_length=200, strip=False, error_messages={"required": "请输入密码"}
    )
    code = forms.RegexField(
        r"^\d{6}$", required=False, error_messages={"invalid": "动态口令是 6 位数字"}
    )


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\d{6}$", error_messages={"required": "请输入动态口令", "invalid": "动态口令是 6 位数字"}
    )

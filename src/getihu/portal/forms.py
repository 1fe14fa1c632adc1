"""What people type: a date to look from, a name or code to look for, a size of type."""

from django import forms
from django.utils.http import url_has_allowed_host_and_scheme

DATE_HINT = "日期要写成 2026-10-31 这样。"


class AsOfForm(forms.Form):
    as_of = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": DATE_HINT},
    )


class SearchForm(forms.Form):
    text = forms.CharField(
        min_length=2,
        max_length=60,
        strip=True,
        error_messages={
            "required": "请写名称里的两个字以上，或者统一社会信用代码。",
            "min_length": "请至少写两个字。",
            "max_length": "太长了，最多 60 个字。",
        },
    )


class TypeSizeForm(forms.Form):
    size = forms.ChoiceField(choices=[("large", "大字"), ("normal", "标准")])
    back = forms.CharField(required=False, max_length=500)

    def clean_back(self) -> str:
        """A path on this site, or the home page: never a way out to another one."""
        back = self.cleaned_data["back"]
        return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "/"


class PageForm(forms.Form):
    page = forms.IntegerField(required=False, min_value=1)


class RuleFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=60, strip=True)
    region = forms.CharField(required=False, max_length=6)
    kind = forms.ChoiceField(
        required=False, choices=[("eligibility", "符合不符合"), ("table", "分几类")]
    )
    on = forms.DateField(
        required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": DATE_HINT}
    )


class ScenarioForm(forms.Form):
    title = forms.CharField(
        max_length=80,
        strip=True,
        error_messages={"required": "请给方案起个名字。", "max_length": "名称最多 80 个字。"},
    )


class DraftForm(forms.Form):
    valid_from = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": DATE_HINT, "required": "草案要写明从哪一天起施行。"},
    )

"""What people type: a date to look from, a name or code to look for, a size of type."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol

from django import forms
from django.utils.http import url_has_allowed_host_and_scheme

from getihu.cases.selectors import FormField, Matter
from getihu.dataplane.contracts import FactValue
from getihu.evaluations.contracts import GRADE_LABELS, Grade
from getihu.growth.selectors import Asked as AskedOfBothSides
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.reference import selectors as reference

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


class LibraryForm(forms.Form):
    """The filters of the policy library; ``trader`` asks for the answers of one's own shop."""

    text = forms.CharField(required=False, max_length=60, strip=True)
    region = forms.CharField(required=False, max_length=6)
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("open", "现在能享受"),
            ("doubtful", "是否还有效，待核"),
            ("upcoming", "还没施行"),
            ("ended", "已经结束"),
            ("superseded", "被代替"),
        ],
    )
    kind = forms.CharField(required=False, max_length=20)
    trader = forms.CharField(required=False, max_length=18)


class OpeningForm(forms.Form):
    """What somebody wants to open and where. ``place`` is the one of several places she chose."""

    text = forms.CharField(required=False, max_length=60, strip=True)
    premises = forms.CharField(required=False, max_length=200, strip=True)
    county = forms.CharField(required=False, max_length=6)
    place = forms.RegexField(r"^\d{6}(\d{3})?$", required=False)


class RegisterForm(forms.Form):
    """Where a shop will stand. ``place`` is the one of several places she chose."""

    premises = forms.CharField(
        max_length=200,
        strip=True,
        error_messages={
            "required": "请写经营场所，写到门牌号。",
            "max_length": "太长了，最多 200 个字。",
        },
    )
    county = forms.ChoiceField(
        required=False, choices=lambda: [(c.code, c.name) for c in reference.list_counties()]
    )
    place = forms.RegexField(r"^\d{6}(\d{3})?$", required=False)


class CheckForm(forms.Form):
    """A licence as text, or what an offline code says."""

    text = forms.CharField(
        max_length=8000,
        strip=True,
        error_messages={"required": "请贴上证照的文字。", "max_length": "太长了，不是我们的证照。"},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class AskForm(forms.Form):
    """What a bank asks to be shown, what for, until when."""

    scene = forms.CharField(max_length=40, error_messages={"required": "请选一个场景。"})
    purpose = forms.CharField(
        max_length=200,
        strip=True,
        error_messages={"required": "请写明用途。", "max_length": "最多 200 个字。"},
    )
    until = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": DATE_HINT, "required": "请写用到哪一天。"},
    )
    trader = forms.CharField(required=False, max_length=40)

    def clean_trader(self) -> str:
        try:
            given = str(self.cleaned_data["trader"])
            return normalise_credit_code(given) if given.strip() else ""
        except InvalidCreditCode as error:
            raise forms.ValidationError(str(error)) from error


class DeskFilterForm(forms.Form):
    queue = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in ("mine", "late", "soon", "new", "waiting")],
    )
    text = forms.CharField(required=False, max_length=60, strip=True)


def _to_grade(value: str) -> Grade:
    return Grade(int(value))


class FollowUpForm(forms.Form):
    """One grade of five, none chosen beforehand, and a few words."""

    grade = forms.TypedChoiceField(
        choices=[(grade.value, label) for grade, label in GRADE_LABELS.items()],
        coerce=_to_grade,
        widget=forms.RadioSelect,
        error_messages={"required": "请选一档，或者不评。", "invalid_choice": "请从五档里选。"},
    )
    comment = forms.CharField(
        required=False,
        max_length=500,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "最多 500 个字。"},
    )


class RatingForm(FollowUpForm):
    """``code`` is made with the form: the same form sent twice is the same rating."""

    code = forms.CharField(max_length=60, widget=forms.HiddenInput)
    contact = forms.CharField(
        required=False,
        max_length=100,
        strip=True,
        error_messages={"max_length": "最多 100 个字。"},
    )


class EmailForm(forms.Form):
    email = forms.EmailField(
        max_length=200,
        error_messages={
            "required": "请写邮箱。",
            "invalid": "邮箱要写成 name@example.com 这样。",
            "max_length": "太长了，最多 200 个字符。",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class PhoneForm(forms.Form):
    phone = forms.RegexField(
        r"^1[3-9]\d{9}$",
        error_messages={
            "required": "请写手机号。",
            "invalid": "手机号要写成 13800000000 这样的 11 位数字。",
        },
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "tel-national"}
        ),
    )

    def __init__(self, given: Any = None) -> None:
        if given is not None:  # as people write it: 138 0000 0000, 138-0000-0000
            given = {"phone": re.sub(r"[\s-]", "", given.get("phone", ""))}
        super().__init__(given)


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


class ConnectForm(forms.Form):
    """Four questions about a power line, the power wanted, and the road where one is dug."""

    county = forms.ChoiceField(
        label="在哪里",
        choices=lambda: [("", "请选择"), *((c.code, c.name) for c in reference.list_counties())],
        error_messages={"required": "请选县（市、区）。"},
    )
    supply_voltage = forms.ChoiceField(
        label="用多高的电压",
        choices=[("low", "0.4千伏及以下（一般的店）"), ("medium", "10（20）千伏")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选电压。拿不准的选上面那个。"},
    )
    line_m = forms.DecimalField(
        label="外线多长（米）",
        min_value=0,
        max_value=100_000,
        help_text="从电线杆或者配电箱接到店里；没有外线填0",
        error_messages={"required": "请写外线多长，没有填0。", "invalid": "请写数字，例如 35。"},
    )
    digs_road = forms.ChoiceField(
        label="要挖路吗",
        choices=[("yes", "要"), ("no", "不要")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选要不要挖路。"},
    )
    takes_green = forms.ChoiceField(
        label="要占绿地吗",
        choices=[("yes", "要"), ("no", "不要")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选要不要占绿地。"},
    )
    capacity_kw = forms.DecimalField(
        label="要用多大功率（千瓦）",
        required=False,
        min_value=0,
        max_value=100_000,
        help_text="可以不填；填了告诉您外线谁出钱",
        error_messages={"invalid": "请写数字，例如 30。"},
    )
    road_kind = forms.ChoiceField(
        label="挖的是哪一种路",
        required=False,
        choices=[
            ("", "不挖路，或者不知道"),
            ("new", "新建、扩建的"),
            ("overhauled", "大修过的"),
            ("old", "都不是"),
        ],
    )
    road_done_on = forms.DateField(
        label="路是哪一天交付或者修完的",
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "日期要写成 2026-10-31 这样。"},
    )

    def answers(self) -> dict[str, object]:
        """What was answered, by the names of the rules' inputs; None where it was left open."""
        said = {k: v for k, v in self.cleaned_data.items() if k != "county"}
        for name in ("digs_road", "takes_green"):
            said[name] = said[name] == "yes"
        return {name: None if value == "" else value for name, value in said.items()}

    def query(self) -> list[tuple[str, str]]:
        """The answers to take along into the joint request."""
        given = {**self.cleaned_data}
        given["road_kind"] = given["road_kind"] or ("none" if given["digs_road"] == "no" else "")
        return [
            (name, f"{value:f}" if isinstance(value, Decimal) else str(value))
            for name, value in given.items()
            if value not in (None, "") and name != "county"
        ]


YES_NO: Final = [("yes", "是"), ("no", "否")]
_KINDS: Final[dict[str, type[forms.Field]]] = {
    "text": forms.CharField,
    "integer": forms.IntegerField,
    "money": forms.DecimalField,
    "decimal": forms.DecimalField,
    "date": forms.DateField,
}
_INVALID: Final = {
    "text": "最多 500 个字。",
    "integer": "请写整数。",
    "money": "请写金额，例如 3600。",
    "decimal": "请写数字，例如 80 或 80.5。",
    "date": DATE_HINT,
}


class Asked(Protocol):
    """Whatever has questions: a matter, or the merged form of several."""

    @property
    def form(self) -> tuple[FormField, ...]: ...


class MatterForm(forms.Form):
    """The questions of a matter, made from its file.

    A draft may be incomplete, so nothing is required before it is handed in. What a department
    holds is filled in with its source and may be changed; it is never asked for empty.
    """

    def __init__(
        self,
        matter: "Matter | Asked",
        known: Mapping[str, FactValue],
        data: Any = None,
        initial: Mapping[str, object] | None = None,
    ) -> None:
        given = {f.id: _shown(f, known, initial or {}) for f in matter.form}
        super().__init__(data, initial={k: v for k, v in given.items() if v is not None})
        self.matter, self.known = matter, known
        for field in matter.form:
            self.fields[field.id] = _field(field)

    def rows(self) -> list[dict[str, Any]]:
        """Each question with its box and, where a department answered it, who and when."""
        return [
            {"field": f, "box": self[f.id], "fact": self.known.get(f.fact) if f.fact else None}
            for f in self.matter.form
        ]

    def answers(self) -> dict[str, object]:
        """What was answered, as a case keeps it: text, whole numbers, yes and no."""
        return {f.id: _kept(f, self.cleaned_data[f.id]) for f in self.matter.form}

    def missing(self) -> list[FormField]:
        return [
            f for f in self.matter.form if f.required and self.cleaned_data.get(f.id) in (None, "")
        ]

    def show_missing(self) -> None:
        for field in self.missing():
            self.add_error(field.id, f"还没有填{field.label}。")


def _field(field: FormField) -> forms.Field:
    attributes: dict[str, str] = {"aria-describedby": f"note-{field.id}"}
    if field.type in ("boolean", "choice"):
        choices = YES_NO if field.type == "boolean" else list(field.choices.items())
        errors = {"invalid_choice": "请从列出的里面选一个。"}
        return forms.ChoiceField(
            choices=[("", "请选择"), *choices],
            required=False,
            error_messages=errors,
            widget=forms.Select(attributes),
        )
    limits: dict[str, Any] = {"text": {"max_length": 500}}.get(field.type, {})
    if field.type in ("integer", "money", "decimal"):
        limits = {"min_value": 0, "max_value": 10**9}
        attributes["inputmode"] = "numeric" if field.type == "integer" else "decimal"
    widget = forms.DateInput(attributes | {"type": "date"}, format="%Y-%m-%d")
    message = _INVALID[field.type]
    return _KINDS[field.type](
        required=False,
        widget=widget if field.type == "date" else forms.TextInput(attributes),
        error_messages=dict.fromkeys(
            ("invalid", "max_length", "min_value", "max_value", "max_decimal_places"), message
        ),
        **limits,
    )


def _shown(field: FormField, known: Mapping[str, FactValue], kept: Mapping[str, object]) -> object:
    """What stands in the box: the answer given, else what a department holds."""
    value = kept.get(field.id)
    if value is None and field.fact and field.fact in known:
        value = known[field.fact].value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _kept(field: FormField, value: object) -> object:
    if field.type == "boolean" and value:
        return value == "yes"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return None if value == "" else value


class ConsentForm(forms.Form):
    """Until when a consent holds; empty: until it is taken back."""

    expires_on = forms.DateField(
        label="到哪一天（不写就是一直到您撤回）",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "写成 2027-12-31 这样。"},
    )


class ObjectionForm(forms.Form):
    """What a datum should be, and how she knows."""

    claimed = forms.CharField(
        label="应该是",
        max_length=200,
        error_messages={"required": "写一下应该是什么；不知道就写“不是这个数”。"},
    )
    why = forms.CharField(label="怎么知道的（可以不写）", max_length=500, required=False)


class BothSidesForm(forms.Form):
    """A year of hers, as she puts it; nothing of it is kept."""

    profit_yuan = forms.DecimalField(
        label="一年赚多少（元，缴税以前）", min_value=0, max_value=10**9, decimal_places=2
    )
    sales_yuan = forms.DecimalField(
        label="一年卖多少（元）", min_value=0, max_value=10**10, decimal_places=2
    )
    employees = forms.IntegerField(label="雇几个人", min_value=0, max_value=10_000)
    as_company_months = forms.IntegerField(
        label="当年做企业几个月（整年比较写 12）", min_value=1, max_value=12, initial=12
    )
    pays_out = forms.BooleanField(label="企业的利润分给自己", required=False, initial=True)

    def asked(self) -> AskedOfBothSides:
        return AskedOfBothSides(**self.cleaned_data)

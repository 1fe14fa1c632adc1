"""First check of a file: its shape by JSON Schema, each violation said in Chinese."""

import json
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import (  # type: ignore[import-untyped]
    Draft202012Validator,
    FormatChecker,
)
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]

from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located

_FORMATS = FormatChecker(formats=())
_TYPES = {
    "object": "“键: 值”",
    "array": "列表",
    "string": "文字",
    "number": "数",
    "integer": "整数",
    "boolean": "true 或 false",
    "null": "null",
}


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and bool(date.fromisoformat(value)))


def schema(name: str) -> dict[str, Any]:
    """A published schema: ``rule`` or ``cases``."""
    text = (files(__package__) / f"{name}.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=_FORMATS)


def check_shape(document: Document, name: str) -> None:
    """Report every violation of the schema ``name`` into the document."""
    if document.root is None:
        return
    for error in _validator(name).iter_errors(document.root.plain()):
        # Trees of clause ids are checked by name and place in load.trees, more exactly.
        is_tree = "tree" in str(list(error.schema_path))
        if not is_tree and (error.validator != "anyOf" or _is_choice(error)):
            _report(document, error)


def _is_choice(error: ValidationError) -> bool:
    """Whether an anyOf asks for one of several keys (a tree of clauses is checked elsewhere)."""
    return all("required" in each for each in error.validator_value)


def _at(document: Document, error: ValidationError) -> tuple[Located, tuple[int, int]]:
    """The value an error concerns and the place of its key."""
    here = document.root
    assert here is not None
    place = (here.line, here.column)
    for part in error.absolute_path:
        if isinstance(part, int):
            here = here.value[part]
            place = (here.line, here.column)
        else:
            place = here.key_place(part)
            here = here.value[part]
    return here, place


def _report(document: Document, error: ValidationError) -> None:
    value, key_place = _at(document, error)
    path = ".".join(str(part) for part in error.absolute_path)
    here = path or None
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            missing = str(error.message.split("'")[1])
            document.report(f"缺少“{missing}”", key_place, f"在这里补上 {missing}: …。", field=here)
        case "additionalProperties":
            _report_unknown_keys(document, error, value, path)
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            kinds = "或".join(_TYPES[kind] for kind in names)
            fix = f"改写成{kinds}。"
            if "string" in names and isinstance(value.value, int):
                fix = f'加上引号："{value.written}"。'
            document.report(f"“{path}”应当是{kinds}", value, fix, field=here)
        case "enum" | "const":
            choices = wanted if isinstance(wanted, list) else [wanted]
            valid = [item if isinstance(item, str) else json.dumps(item) for item in choices]
            near = nearest_name(str(value.value), valid)
            hint = f"是不是想写 {near}？" if near else ""
            document.report(
                f"“{path}”不能是“{value.value}”",
                value,
                f"{hint}可写：{'、'.join(valid)}。",
                field=here,
                nearest=near,
            )
        case "format":
            document.report(
                f"“{value.value}”不是日期", value, "写成 2026-10-31 这样的真实日期。", field=here
            )
        case "pattern":
            name = str(error.instance)
            document.report(f"“{name}”写法不对", value, f"要符合 {wanted}。", field=here)
        case "minItems" | "minLength" | "minProperties":
            document.report(f"“{path}”不能是空的", value, "把内容补上，或删掉这个键。", field=here)
        case "uniqueItems":
            document.report(f"“{path}”里有重复", value, "删掉重复的一项。", field=here)
        case "oneOf" | "anyOf":
            _report_choice(document, error, key_place, here)
        case "not":
            document.report(
                f"这种规则（kind）不能有“{path}”",
                key_place,
                "删掉它：eligibility 用 requires 和 amount，table 用 rows 和 values。",
                field=here,
            )
        case _:
            document.report(f"“{path}”不符合要求：{error.message}", value, "见手册。", field=here)


def _report_choice(
    document: Document, error: ValidationError, place: tuple[int, int], here: str | None
) -> None:
    keys = [key for each in error.validator_value for key in each.get("required", [])]
    said = str(error.schema.get("description", ""))
    named = [key for key in keys if isinstance(error.instance, dict) and key in error.instance]
    if len(named) > 1:
        message, fix = f"“{'”和“'.join(named)}”只能写一个", "删掉其中一个。"
    elif keys and not named:
        message, fix = f"要写“{'”或“'.join(keys)}”", f"补上其中一个。{said}"
    else:
        message, fix = f"“{here}”写法不对", said or "见手册。"
    document.report(message, place, fix, field=here)


def _report_unknown_keys(
    document: Document, error: ValidationError, value: Located, path: str
) -> None:
    allowed = list(error.schema.get("properties", {}))
    for key in value.value:
        if key in allowed:
            continue
        near = nearest_name(key, allowed)
        fix = f"是不是想写 {near}？" if near else f"可写：{'、'.join(allowed)}。"
        document.report(
            f"不认识的键“{key}”",
            value.key_place(key),
            fix,
            field=f"{path}.{key}" if path else key,
            nearest=near,
        )

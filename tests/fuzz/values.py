"""What is sent to a door: now and then what it wants, mostly what it does not."""

from typing import Any

from hypothesis import strategies as st

NASTY = [
    "", " ", "\x00", "a\x00b", "\ufeff", "\u202e反", "𠮷" * 3, "é" * 300, "长" * 20_000,
    "0", "-1", "1e400", "NaN", "Infinity", "9" * 40, "-" + "9" * 19, "1.5", "１２", "²", "٣",
    "true", "null", "None", "[]", "{}", "on",
    "0001-01-01", "9999-12-31", "2026-02-30", "2026-10-31T00:00:00Z", "明天",
    "0000-00-00", "10000-01-01", "2026-13", "2026-10",
    "00000000-0000-0000-0000-000000000000", "x'--", "' OR 1=1 --", "%", "_", "%s%n", "\\", "\\x",
    "<script>alert(1)</script>", "{{ 7*7 }}", "../../etc/passwd", "//elsewhere.example", "a\r\nb: c",
    "=1+1", "330302", "330399", "330000", "330302001", "13800000000",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=40))
DATES = ["2026-10-31", "2026-01-01", "2019-12-31", "0001-01-01", "9999-12-31"]
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), WORDS,
        st.sampled_from([10**400, -(2**63), 2**63, 1e308]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


def fitting(
    schema: dict, document: dict, known: dict[str, list], name: str = ""
) -> st.SearchStrategy:
    """What a schema of OpenAPI allows, by preference what there is."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of(*[fitting(each, document, known, name) for each in schema["anyOf"]])
    if name in known:
        return st.sampled_from(known[name])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        parts = {
            part: fitting(inner, document, known, part)
            for part, inner in schema["properties"].items()
        }
        wanted = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {part: parts[part] for part in parts if part in wanted},
            optional={part: parts[part] for part in parts if part not in wanted},
        )
    if kind == "array":
        return st.lists(fitting(schema.get("items", {}), document, known, name), max_size=3)
    simple: dict[Any, st.SearchStrategy] = {
        "integer": st.integers(-3, 3000),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "null": st.none(),
        "string": st.sampled_from(DATES) if schema.get("format") == "date" else WORDS,
    }
    return simple.get(kind, JSON)

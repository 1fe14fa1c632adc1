"""The repository tests itself: the doors import-linter cannot see."""

import itertools
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "getihu"

_MAKES = re.compile(r"CREATE DATABASE \{")

# The ladder of imports, top first (.importlinter); a foreign key may only point down it.
LADDER = [
    {"config"},
    {"portal", "gateways"},
    {"insight", "journeys"},
    {
        "entry",
        "passport",
        "onboarding",
        "policies",
        "assistant",
        "growth",
        "support",
        "supervision",
    },
    {"evaluations"},
    {"cases"},
    {"notifications"},
    {"registry", "rulebook"},
    {"dataplane"},
    {"access"},
    {"accounts"},
    {"reference", "ui"},
    {"audit"},
    {"kernel"},
]
RUNG = {package: rung for rung, packages in enumerate(LADDER) for package in packages}
UNWANTED_FILE_NAMES = {"utils.py", "helpers.py", "managers.py", "signals.py", "misc.py"}


def tracked(pattern: str = "") -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if re.search(pattern, name)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_every_package_stands_on_the_ladder():
    packages = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists()}
    assert packages == set(RUNG)


def test_every_package_says_what_it_owns():
    silent = [
        p.name
        for p in PACKAGE.iterdir()
        if (p / "__init__.py").exists()
        and not (p / "__init__.py").read_text("utf-8").startswith('"""')
    ]
    assert silent == []


def test_no_file_is_named_for_leftovers():
    assert [p for p in tracked(r"\.py$") if p.name in UNWANTED_FILE_NAMES] == []


def test_foreign_keys_point_down_and_have_no_reverse_name():
    wrong = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not (field.is_relation and field.concrete and field.related_model):
                continue
            here, there = (
                RUNG.get(model._meta.app_label),
                RUNG.get(field.related_model._meta.app_label),
            )
            if here is None or there is None:
                continue
            same = model._meta.app_label == field.related_model._meta.app_label
            if not same and (there <= here or not field.remote_field.hidden):
                wrong.append(str(field))
    assert wrong == []


def test_templates_link_only_to_their_own_package_or_a_lower_one():
    wrong = []
    for template in PACKAGE.rglob("templates/**/*.html"):
        owner = template.relative_to(PACKAGE).parts[0]
        text = template.read_text("utf-8")
        named = re.findall(r"""{%\s*(?:include|extends)\s+["']([a-z_]+)/""", text)
        named += re.findall(r"""{%\s*url\s+["']([a-z_]+):""", text)
        wrong += [
            (str(template.relative_to(PACKAGE)), other)
            for other in named
            if other != owner and RUNG.get(other, 99) <= RUNG[owner]
        ]
    assert wrong == []


def test_adr_numbers_are_unique_and_continuous():
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_requirements_are_hashed_and_record_no_address():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text("utf-8")
        assert "://" not in text, path.name
        pins = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==", text, flags=re.M)
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
        assert len(pins) == len(blocks)
        assert all("--hash=sha256:" in block for block in blocks), path.name


def test_every_dependency_says_why_it_is_there():
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    bare = [
        line.strip()
        for previous, line in itertools.pairwise(lines)
        if re.match(r'\s+"[A-Za-z0-9._-]+(\[[^]]*\])?==', line)
        and not previous.strip().startswith("#")
    ]
    assert bare == []


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    assert [name for name in wanted if "==" not in name] == []


@pytest.mark.parametrize(
    ("asked", "selected"), [("tests/kernel", False), ("tests/notifications/test_events.py", True)]
)
def test_the_second_database_gets_the_tests_that_touch_one(asked, selected):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", asked],
        cwd=ROOT, env={**os.environ, "GETIHU_ONLY_DATABASE_TESTS": "1"}, capture_output=True,
    )  # fmt: skip
    assert (done.returncode == 0) is selected, done.stdout.decode()[-500:]


def test_only_one_place_makes_databases_for_programs_of_their_own():
    """Else a test could use the second database without being selected for it."""
    making = [path.name for path in tracked(r"^tests/.*\.py$") if _MAKES.search(path.read_text())]
    assert making == ["conftest.py"]


def test_every_setting_is_documented():
    used = set()
    for path in tracked(r"^(src|tools|bench)/.*\.py$"):
        used |= set(re.findall(r'"(GETIHU_[A-Z_]+)"', path.read_text("utf-8")))
    documented = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert {name for name in used if f"`{name}`" not in documented} == set()


def test_documents_link_only_to_what_exists():
    broken = []
    chapters_of_the_manual = r"tests/spec/"  # their links hold where the manual is generated
    for page in tracked(rf"^(?!{chapters_of_the_manual}).*\.md$"):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (page.parent / target).exists():
                broken.append((str(page.relative_to(ROOT)), target))
    assert broken == []


def test_evaluation_data_is_not_in_the_repository(shared_dir):
    """Files marked eval or test in the reference folder are read in place, never copied."""
    kept_outside = Counter()
    for folder in ("04_registrations", "05_addresses", "06_hotline", "07_policy_qa", "09_survival"):
        for path in (shared_dir / "data" / folder).glob("*"):
            if not path.name.startswith("derived_"):
                kept_outside[path.stat().st_size] += 1
    copies = [p for p in tracked() if p.stat().st_size > 500 and p.stat().st_size in kept_outside]
    same = [
        (copy, original)
        for copy in copies
        for original in (shared_dir / "data").rglob("*")
        if original.is_file()
        and original.stat().st_size == copy.stat().st_size
        and original.read_bytes() == copy.read_bytes()
        and "derived_" not in original.name
        and original.parent.name
        in ("04_registrations", "05_addresses", "06_hotline", "07_policy_qa", "09_survival")
    ]
    assert same == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "DEVELOPERS.md",
        "TESTING.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/plan.md",
    ],
)
def test_the_documents_a_newcomer_needs_are_there(name):
    assert len((ROOT / name).read_text("utf-8")) > 300

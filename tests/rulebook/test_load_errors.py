"""Every kind of mistake in a rule file is named with file, line, column and the way out."""

from datetime import date

import pytest

from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.load.folder import load_rulebook, read_folder
from getihu.rulebook.load.rule import read_rule
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import RULE_ID, SIZE_TABLE, SMALL_SHOP, load, problems, write

SALES = "annual_sales_yuan <= most_sales_yuan"
# id: (old text, new text, line, column, nearest valid name, words of the message or the fix)
MISTAKES = {
    "unknown fact": ("annual_sales_yuan <=", "anual_sales_yuan <=", 28, 12, "annual_sales_yuan", "没有叫"),
    "unknown parameter": ("<= most_sales_yuan", "<= most_sale_yuan", 28, 33, "most_sales_yuan", "没有叫"),
    "money with date": (SALES, "annual_sales_yuan <= established_on or most_sales_yuan > 1", 28, 12, None, "金额（annual_sales_yuan）不能和日期（established_on）比较"),
    "boolean with number": ('"paid_tax_last_year"', '"paid_tax_last_year = 1"', 38, 12, None, "不能和整数（1）比较"),
    "number without comparison": ('"paid_tax_last_year"', '"insured_employees"', 38, 12, None, "应当回答是或否"),
    "date as text": ('"paid_tax_last_year"', "\"established_on < '2020-01-01'\"", 38, 12, None, "DATE '2026-01-31'"),
    "code as number": ('"paid_tax_last_year"', '"industry_division = 62"', 38, 12, None, "单引号"),
    "unknown enum value": ("'active'", "'actve'", 24, 34, "active", "没有“actve”这个值"),
    "enum value by its label": ("'active'", "'存续'", 24, 34, "active", "没有“存续”这个值"),
    "unknown function": ('"paid_tax_last_year"', '"coalesce(insured_employees, 0) > 1"', 38, 12, None, "不支持的函数 coalesce"),
    "unknown named function": ('"paid_tax_last_year"', '"foo(insured_employees) > 1"', 38, 12, None, "不支持的函数 foo"),
    "like": ('"paid_tax_last_year"', "\"trade_name like '%店'\"", 38, 12, None, "不支持的写法 LIKE"),
    "text is not ordered": ('"paid_tax_last_year"', "\"county_code > '3303'\"", 38, 12, None, "文字没有大小"),
    "date minus date": ('"paid_tax_last_year"', '"as_of - established_on > 3"', 38, 12, None, "日期不能这样用 -"),
    "week interval": ("interval '1' month", "interval '1' week", 33, 47, None, "只能用 MONTH、DAY 或 YEAR"),
    "division by a fact": ("/ 3", "/ annual_employees", 41, 55, None, "不能除以会变的数"),
    "division by zero": ("/ 3", "/ 0", 41, 55, None, "除数必须大于零"),
    "number too large": ("/ 3", "* insured_employees * annual_employees", 41, 17, None, "38 位数"),
    "amount that is no number": ('"insured_employees * per_person_yuan / 3"', '"paid_tax_last_year and per_person_yuan > 1"', 41, 17, None, "金额应当是数"),
    "null comparison": ('"paid_tax_last_year"', '"annual_employees = null"', 38, 12, None, "is not null"),
    "syntax": ('"paid_tax_last_year"', '"paid_tax_last_year and"', 38, 31, None, "表达式写法不对"),
    "open quote": ("'active'\"", "'active\"", 24, 12, None, "引号没有成对"),
    "two expressions": ('"paid_tax_last_year"', '"paid_tax_last_year; true"', 38, 12, None, "只能有一个表达式"),
    "too deep": ('"paid_tax_last_year"', f'"{"not " * 150}paid_tax_last_year"', 38, 12, None, "嵌套太深"),
    "far too deep": ('"paid_tax_last_year"', f'"{"(" * 5000}paid_tax_last_year{")" * 5000}"', 38, 12, None, "嵌套太深"),
    "select": ('"paid_tax_last_year"', '"annual_employees in (select 1)"', 38, 12, None, "括号里的清单"),
    "unknown key": ("    article: 第一条\n  is_small", "    artikle: 第一条\n  is_small", 25, 5, "article", "不认识的键"),
    "unknown top key": ("decides_on: as_of", "decides_on: as_of\nvalid_util: 2028-01-01", 16, 1, "valid_until", "不认识的键"),
    "unknown clause": ("[is_small, has_paid_tax]", "[is_smal, has_paid_tax]", 40, 42, "is_small", "clauses 里没有"),
    "unknown group": ("{any_of:", "{anyof:", 40, 33, "any_of", "不认识的组合"),
    "at_least out of range": ("{any_of: [is_small, has_paid_tax]}", "{at_least: {n: 3, of: [is_small, has_paid_tax]}}", 40, 47, None, "1 到 2"),
    "missing source": ("source:\n  document: 测试〔2026〕1号\n  title: 测试用的文件\n  article: 第一条\n  url: https://example.org/1\n  trust: D\n", "", 1, 1, None, "缺少“source”"),
    "missing subjects": ("subjects: [individual]\n", "", 1, 1, None, "缺少“subjects”"),
    "missing region": ('region: "330300"\n', "", 1, 1, None, "缺少“region”"),
    "region without quotes": ('"330300"', "330300", 11, 9, None, '加上引号："330300"'),
    "parameter without source": ("unit: yuan, source: 第一条", "unit: yuan", 18, 3, None, "缺少“source”"),
    "own number passed as official": (", official: false", "", 19, 62, None, "不一致"),
    "parameter value and unit": ("value: 300000, unit: yuan", "value: 2026-01-01, unit: yuan", 18, 43, None, "不相配"),
    "parameter named like a fact": ("most_sales_yuan: {", "insured_employees: {", 18, 3, None, "和事实同名"),
    "unused parameter": (SALES, "annual_sales_yuan <= 300000", 18, 3, None, "参数“most_sales_yuan”没有用到"),
    "unused clause": (", has_paid_tax]", "]", 36, 3, None, "条件“has_paid_tax”没有用到"),
    "wrong kind": ("kind: eligibility", "kind: eligibilty", 3, 7, "eligibility", "可写"),
    "not a date": ("valid_until: 2028-01-01", "valid_until: 2028-02-30", 14, 14, None, "不是日期"),
    "empty period": ("valid_until: 2028-01-01", "valid_until: 2026-01-01", 14, 14, None, "永远不生效"),
    "key twice": ("kind: eligibility", "kind: eligibility\nkind: eligibility", 4, 1, None, "写了两次"),
    "id unlike the file": (RULE_ID, "tests.smal_shop", 1, 5, "tests.small_shop", "不一致"),
    "bad yaml": ("region:", "region: [", 12, None, None, "不是合法的 YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_names_the_mistake_with_its_place_and_the_way_out(mistake, tmp_path):
    old, new, line, column, nearest, words = mistake
    path = write(tmp_path, SMALL_SHOP.replace(old, new, 1), RULE_ID)
    _, found = read_folder([path], CATALOGUE)
    fitting = [p for p in found if words in f"{p.message}{p.fix}"]
    assert fitting, [str(p) for p in found]
    problem = fitting[0]
    assert (problem.file, problem.line) == (str(path), line), str(problem)
    assert column in (None, problem.column), str(problem)
    assert problem.nearest == nearest
    assert problem.fix
    assert str(problem).startswith(f"{path}:{line}:")


def test_reports_all_problems_of_a_file_together(tmp_path):
    spoiled = (
        SMALL_SHOP.replace("annual_sales_yuan <=", "anual_sales_yuan <=")
        .replace("'active'", "'actve'")
        .replace("trust: D", "trust: Q")
        .replace("[is_small, has_paid_tax]", "[is_small, has_paid_taxes]")
    )
    _, found = read_folder([write(tmp_path, spoiled)], CATALOGUE)
    assert [p.line for p in found] == [10, 24, 28, 36, 40]


def test_two_mistakes_in_one_expression_are_two_problems(tmp_path):
    found = problems(tmp_path, "paid_tax_last_year", "paid_tax and foo(1) = 2")
    assert [(p.line, p.column) for p in found] == [(38, 12), (38, 25)]


def test_a_place_inside_a_folded_expression_is_the_place_in_the_file(tmp_path):
    found = problems(tmp_path, "      <= as_of", "      <= as_off")
    assert [(p.line, p.column, p.nearest) for p in found] == [(34, 10, "as_of")]


def test_a_table_needs_otherwise(tmp_path):
    old = "  - {otherwise: true, value: small, label: 小, reason: 规模不大。}\n"
    found = problems(tmp_path, old, "", SIZE_TABLE)
    assert any("不是 otherwise" in p.message and p.line == 17 for p in found)


def test_a_row_after_otherwise_is_never_reached(tmp_path):
    old = "  - {when: {all_of: [has_many"
    found = problems(tmp_path, old, "  - {otherwise: true, value: small}\n" + old, SIZE_TABLE)
    assert [(p.line, "永远用不到" in p.message) for p in found] == [(16, True)]


def test_an_undeclared_result_names_the_nearest(tmp_path):
    found = problems(tmp_path, "value: middle", "value: midle", SIZE_TABLE)
    assert [p.nearest for p in found if p.nearest] == ["middle"]
    assert any("没有一行用到" in p.message for p in found)


def test_a_table_pays_no_amount(tmp_path):
    amount = 'amount: {yuan: "1", label: 无, round: half_up_2, article: 无}\nrows:'
    found = problems(tmp_path, "rows:", amount, SIZE_TABLE)
    assert [(p.line, "不能有“amount”" in p.message) for p in found] == [(15, True)]


def test_overlapping_versions_of_one_rule_are_refused(tmp_path):
    first = write(tmp_path)
    later = SMALL_SHOP.replace("valid_from: 2026-01-01", "valid_from: 2027-06-01")
    second = write(tmp_path, later, f"{RULE_ID}@2027")
    _, found = read_folder([first, second], CATALOGUE)
    assert [(p.file, p.line, p.column) for p in found] == [(str(second), 13, 13)]
    assert "重叠" in found[0].message and str(first) in found[0].message


def test_versions_that_follow_each_other_are_one_rulebook(tmp_path):
    write(tmp_path)
    later = SMALL_SHOP.replace("valid_from: 2026-01-01", "valid_from: 2028-01-01")
    write(
        tmp_path, later.replace("valid_until: 2028-01-01", "valid_until: null"), f"{RULE_ID}@2028"
    )
    book = load_rulebook([tmp_path], CATALOGUE)
    assert book.ids == (RULE_ID,)
    assert len(book.versions(RULE_ID)) == 2


def test_an_ending_names_a_rule_that_exists(tmp_path):
    write(tmp_path, SIZE_TABLE)
    ended = SMALL_SHOP + "ended_by: {rule: tests.sise, from: 2027-01-01, source: 无}\n"
    _, found = read_folder([write(tmp_path, ended), tmp_path], CATALOGUE)
    assert [(p.line, p.column, p.nearest) for p in found] == [(42, 18, "tests.size")]


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "tests.broken.yaml"
    path.write_bytes("title: 小店".encode("gb18030"))
    _, document = read_rule(path, CATALOGUE)
    assert "UTF-8" in document.problems[0].message


@pytest.mark.parametrize(
    "requires", ["{any_of: [" * 3000 + "is_active" + "]}" * 3000, "&a {any_of: [is_active, *a]}"]
)
def test_a_file_nested_too_deep_is_refused(tmp_path, requires):
    start = SMALL_SHOP.index("requires:")
    text = f"{SMALL_SHOP[:start]}requires: {requires}\n"
    _, found = read_folder([write(tmp_path, text)], CATALOGUE)
    assert [p.message for p in found] == ["文件嵌套太深"]


def test_an_expression_as_deep_as_allowed_can_be_decided(tmp_path):
    text = SMALL_SHOP.replace('"paid_tax_last_year"', f'"{"not " * 46}paid_tax_last_year"')
    verdict = judge(load(tmp_path, text), {"paid_tax_last_year": True}, date(2026, 10, 31))
    assert verdict.clauses["has_paid_tax"] is True


def test_the_version_ignores_comments_and_layout_but_not_content(tmp_path):
    rule = load(tmp_path)
    spaced = SMALL_SHOP.replace(SALES, "annual_sales_yuan  <=\n       most_sales_yuan")
    assert load(tmp_path, "# 注释\n" + spaced).version == rule.version
    assert load(tmp_path, SMALL_SHOP.replace("300000", "300001")).version != rule.version
    assert len(rule.version) == 12

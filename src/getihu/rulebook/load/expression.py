"""Reads one expression: sqlglot parses it, this module types it and names every mistake.

Only what the language has is accepted; anything else is a problem that names it. All mistakes of
an expression are reported, each at its own line and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import islice, product

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from getihu.dataplane.contracts import FactDeclaration, FactType
from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.model.expressions import (
    NUMBERS,
    And,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    Extract,
    Fact,
    IsKnown,
    Negate,
    Not,
    OneOf,
    Or,
    ParameterUse,
    Shift,
    ValueType,
    parameters_in,
    resolve,
)
from getihu.rulebook.model.numbers import TooLarge, check_size, is_constant

VALUE_TYPES = {
    FactType.BOOLEAN: ValueType.BOOLEAN,
    FactType.INTEGER: ValueType.INTEGER,
    FactType.MONEY: ValueType.MONEY,
    FactType.DECIMAL: ValueType.DECIMAL,
    FactType.DATE: ValueType.DATE,
    FactType.TEXT: ValueType.TEXT,
    FactType.ENUM: ValueType.TEXT,
    FactType.CODE: ValueType.TEXT,
}
TYPE_LABELS = {
    ValueType.BOOLEAN: "是否",
    ValueType.INTEGER: "整数",
    ValueType.MONEY: "金额",
    ValueType.DECIMAL: "数",
    ValueType.DATE: "日期",
    ValueType.TEXT: "文字",
    ValueType.NULL: "null",
}
LANGUAGE = (
    "只能用：= <> < <= > >=、and or not、in、between、is not null、+ - *、/ 常数、case、"
    "DATE '2026-01-01'、日期加减 INTERVAL '3' MONTH、EXTRACT(YEAR FROM 日期)"
)
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_UNITS = {"MONTH": ("month", 1), "DAY": ("day", 1), "YEAR": ("month", 12)}
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_NOT_FUNCTIONS = {
    *["in", "and", "or", "not", "when", "then", "else", "between", "extract", "interval", "case"]
}
_LONE_INTERVAL = "INTERVAL 只能加到日期上或从日期减去"
_INTERVAL_FIX = "写成 日期 + INTERVAL '3' MONTH。"
_ONLY_NUMBERS = "只有数和金额能计算。"
_DEEPEST = 50
_LONGEST = {"month": 1200, "day": 36600}


@dataclass(frozen=True)
class _Interval:
    """A length of time before it meets its date."""

    amount: Expression
    unit: str


@dataclass(frozen=True)
class Names:
    """What an expression may name: the facts, and the parameters of its rule.

    ``parameters`` holds one value of each, ``others`` the further values of those that vary;
    ``decided_on`` is what that name stands for.
    """

    facts: Mapping[str, FactDeclaration]
    parameters: Mapping[str, Constant]
    others: Mapping[str, tuple[Constant, ...]] = field(default_factory=dict)
    decided_on: Expression = field(default_factory=AsOf)

    def all(self) -> list[str]:
        return [*self.facts, *self.parameters, "as_of", "decided_on"]

    def further(self, node: Expression) -> Iterator[Names]:
        """The same names with every other set of values the node's parameters can have."""
        varying = [name for name in parameters_in(node) if name in self.others]
        sets = product(*((self.parameters[n], *self.others[n]) for n in varying))
        for values in islice(sets, 1, None):
            chosen = dict(zip(varying, values, strict=True))
            yield replace(self, parameters={**self.parameters, **chosen}, others={})


class ExpressionReader:
    """Reads the expressions of one document. ``read_*`` give None when something was wrong."""

    def __init__(self, document: Document, names: Names) -> None:
        self.document = document
        self.names = names

    def read_condition(self, scalar: Located, field: str) -> Expression | None:
        """A boolean expression."""
        return self._with_every_value(scalar, field, _Reading.condition)

    def read_number(self, scalar: Located, field: str) -> Expression | None:
        """A numeric expression; a bare number will do."""
        if not isinstance(scalar.value, str):
            scalar = replace(scalar, value=str(scalar.value), written=str(scalar.value))
        return self._with_every_value(scalar, field, _Reading.number)

    def _with_every_value(
        self, scalar: Located, field: str, read: Callable[[_Reading], Expression | None]
    ) -> Expression | None:
        """Reads with one value of each parameter, then again with the others of those used."""
        node = read(_Reading(self.document, self.names, scalar, field))
        if node is None:
            return None
        for names in self.names.further(node):
            if read(_Reading(self.document, names, scalar, field)) is None:
                return None
        return node


class _Reading:
    """The reading of one expression text."""

    def __init__(self, document: Document, names: Names, scalar: Located, field: str) -> None:
        self.document = document
        self.names = names
        self.scalar = scalar
        self.text: str = scalar.value
        self.field = field

    # entry points

    def condition(self) -> Expression | None:
        tree = self._parse()
        node = self._read(tree) if tree is not None else None
        if node is None:
            return None
        if node.type is not ValueType.BOOLEAN:
            label = TYPE_LABELS[node.type]
            self._problem(tree, f"条件应当回答是或否，这里是{label}", "写成比较，如 x >= 3。")
            return None
        return self._sized(node, tree, check_size)

    def number(self) -> Expression | None:
        tree = self._parse()
        node = self._read(tree) if tree is not None else None
        if node is None:
            return None
        if node.type not in NUMBERS:
            label = TYPE_LABELS[node.type]
            self._problem(tree, f"金额应当是数，这里是{label}", "写成以元为单位的算式。")
            return None
        return self._sized(node, tree, check_size)

    def _sized(
        self, node: Expression, tree: exp.Expr | None, check: Callable[[Expression], None]
    ) -> Expression | None:
        try:
            check(resolve(node, self.names.parameters))
        except TooLarge:
            self._problem(tree, "算式的结果可能超出 38 位数", "减少相乘的事实，或先除以常数。")
            return None
        return node

    # parsing and places

    def _parse(self) -> exp.Expr | None:
        try:
            trees = sqlglot.parse(self.text, dialect="duckdb")
        except ParseError as error:
            first = error.errors[0]
            offset = _offset(self.text, first.get("highlight"), first.get("start_context"))
            self._problem(offset, "表达式写法不对", f"检查这里前后的括号和运算符。{LANGUAGE}。")
            return None
        except TokenError:
            self._problem(0, "表达式写法不对：引号没有成对", "文字用一对单引号括起来。")
            return None
        except RecursionError:
            self._problem(0, "表达式嵌套太深", "拆成几个条件。")
            return None
        found = [tree for tree in trees if tree is not None]
        if len(found) != 1:
            self._problem(0, "一个条件只能有一个表达式", "去掉分号，拆成几个条件。")
            return None
        if _depth(found[0]) > _DEEPEST:
            self._problem(0, "表达式嵌套太深", "拆成几个条件。")
            return None
        return found[0]

    def _problem(
        self,
        at: exp.Expr | int | None,
        message: str,
        fix: str,
        nearest: str | None = None,
    ) -> None:
        offset = at if isinstance(at, int) else _start(at) if at is not None else 0
        place = self.document.place_in(self.scalar, offset)
        self.document.report(message, place, fix, field=self.field, nearest=nearest)

    # reading

    def _read(self, tree: exp.Expr) -> Expression | None:
        """The typed node of a parsed tree; None once a problem was reported."""
        read = self._read_any(tree)
        if isinstance(read, _Interval):
            self._problem(
                tree, "INTERVAL 只能加到日期上或从日期减去", "写成 日期 + INTERVAL '3' MONTH。"
            )
            return None
        return read

    def _read_any(self, tree: exp.Expr) -> Expression | _Interval | None:
        kind = type(tree)
        if kind in _COMPARISONS:
            return self._compare(tree, _COMPARISONS[kind])
        if kind in _ARITHMETIC:
            return self._arithmetic(tree, _ARITHMETIC[kind])
        match tree:
            case exp.Paren():
                return self._read_any(tree.this)
            case exp.Column():
                return self._name(tree)
            case exp.Literal():
                return self._literal(tree)
            case exp.Boolean():
                return Constant(bool(tree.this), ValueType.BOOLEAN)
            case exp.Null():
                return Constant(None, ValueType.NULL)
            case exp.Cast():
                return self._date_literal(tree)
            case exp.And() | exp.Or():
                return self._logic(tree)
            case exp.Not():
                return self._negation(tree)
            case exp.Is():
                return self._is(tree)
            case exp.In():
                return self._one_of(tree)
            case exp.Between():
                return self._between(tree)
            case exp.Neg():
                return self._minus(tree)
            case exp.Div():
                return self._divide(tree)
            case exp.Interval():
                return self._interval(tree)
            case exp.Extract():
                return self._extract(tree)
            case exp.Case():
                return self._case(tree)
        self._unsupported(tree)
        return None

    def _unsupported(self, tree: exp.Expr) -> None:
        if isinstance(tree, exp.Alias):
            self._problem(tree.args["alias"], "两个名字之间缺少运算符", f"{LANGUAGE}。")
        elif isinstance(tree, exp.Func):
            name, offset = _written_function(self.text, tree)
            self._problem(offset, f"不支持的函数 {name}", f"{LANGUAGE}。")
        else:
            self._problem(tree, f"不支持的写法 {tree.key.upper()}", f"{LANGUAGE}。")

    def _name(self, tree: exp.Expr) -> Expression | None:
        name = tree.name
        if tree.args.get("table") is not None:
            self._problem(tree, f"名字前不能加“{tree.sql()}”里的点", "直接写事实名。")
            return None
        if name == "as_of":
            return AsOf()
        if name == "decided_on":
            return self.names.decided_on
        if name in self.names.parameters:
            return ParameterUse(name, self.names.parameters[name].type)
        if name in self.names.facts:
            return Fact(name, VALUE_TYPES[self.names.facts[name].type])
        near = nearest_name(name, self.names.all())
        fix = f"是不是想写 {near}？" if near else "看事实目录，或在 parameters 里定义它。"
        self._problem(tree, f"没有叫“{name}”的事实或参数", fix, near)
        return None

    def _literal(self, tree: exp.Expr) -> Expression | None:
        if tree.is_string:
            return Constant(tree.name, ValueType.TEXT)
        try:
            if not all(c in "0123456789." for c in tree.name):
                raise ValueError
            value = Fraction(tree.name)
        except ValueError:
            self._problem(tree, f"数“{tree.name}”写法不对", "写成 1000 或 0.05。")
            return None
        if value.denominator == 1 and "." not in tree.name:
            return Constant(value.numerator, ValueType.INTEGER)
        whole = value.numerator if value.denominator == 1 else value
        return Constant(whole, ValueType.DECIMAL)

    def _date_literal(self, tree: exp.Expr) -> Expression | None:
        inner = tree.this
        if not (
            tree.args["to"].is_type("date") and isinstance(inner, exp.Literal) and inner.is_string
        ):
            self._problem(tree, f"不支持类型转换 {tree.sql('duckdb')}", f"{LANGUAGE}。")
            return None
        try:
            if len(inner.name) != 10:
                raise ValueError
            return Constant(date.fromisoformat(inner.name), ValueType.DATE)
        except ValueError:
            self._problem(inner, f"“{inner.name}”不是日期", "写成 DATE '2026-01-31'。")
            return None

    def _logic(self, tree: exp.Expr) -> Expression | None:
        word = "and" if isinstance(tree, exp.And) else "or"
        operands = [self._boolean(part, word) for part in tree.flatten()]
        if any(operand is None for operand in operands):
            return None
        known = tuple(operand for operand in operands if operand is not None)
        return And(known) if word == "and" else Or(known)

    def _boolean(self, tree: exp.Expr, word: str) -> Expression | None:
        node = self._read(tree)
        if node is None:
            return None
        if node.type is ValueType.NULL:
            return Constant(None, ValueType.BOOLEAN)
        if node.type is not ValueType.BOOLEAN:
            label = TYPE_LABELS[node.type]
            self._problem(tree, f"{word} 要的是是或否，这里是{label}", "写成比较，如 x >= 3。")
            return None
        return node

    def _negation(self, tree: exp.Expr) -> Expression | None:
        inner = tree.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            operand = self._read(inner.this)
            return None if operand is None else IsKnown(operand)
        node = self._boolean(inner, "not")
        return None if node is None else Not(node)

    def _is(self, tree: exp.Expr) -> Expression | None:
        if not isinstance(tree.expression, exp.Null):
            self._problem(
                tree, "is 后面只能是 null 或 not null", "是否型事实直接写名字，或用 not。"
            )
            return None
        operand = self._read(tree.this)
        return None if operand is None else Not(IsKnown(operand))

    def _one_of(self, tree: exp.Expr) -> Expression | None:
        items = tree.expressions
        if not items:
            self._problem(tree, "in 后面要有一个括号里的清单", "写成 x in ('a', 'b')。")
            return None
        needle = self._read(tree.this)
        values = [self._read(item) for item in items]
        if needle is None or any(value is None for value in values):
            return None
        constants: list[Constant] = []
        tests: list[Expression] = []
        for item, value in zip(items, values, strict=True):
            assert value is not None
            if isinstance(value, Constant) and value.type is ValueType.NULL:
                constants.append(Constant(None, needle.type))
                continue
            test = self._typed_compare(item, "=", needle, value, tree.this)
            if test is None:
                return None
            if isinstance(value, Constant):
                constants.append(value)
            else:
                tests.append(test)
        if not tests:
            return OneOf(needle, tuple(constants))
        whole = [OneOf(needle, tuple(constants)), *tests] if constants else tests
        return Or(tuple(whole)) if len(whole) > 1 else whole[0]

    def _between(self, tree: exp.Expr) -> Expression | None:
        if tree.args.get("symmetric"):
            self._problem(tree, "不支持 between symmetric", "写成 between 小的 and 大的。")
            return None
        value = self._read(tree.this)
        low = self._read(tree.args["low"])
        high = self._read(tree.args["high"])
        if value is None or low is None or high is None:
            return None
        above = self._typed_compare(tree.args["low"], ">=", value, low, tree.this)
        below = self._typed_compare(tree.args["high"], "<=", value, high, tree.this)
        return None if above is None or below is None else And((above, below))

    def _compare(self, tree: exp.Expr, operator: str) -> Expression | None:
        left, right = self._read(tree.this), self._read(tree.expression)
        if left is None or right is None:
            return None
        return self._typed_compare(tree.expression, operator, left, right, tree.this)

    def _typed_compare(
        self,
        tree: exp.Expr,
        operator: str,
        left: Expression,
        right: Expression,
        left_tree: exp.Expr,
    ) -> Expression | None:
        if ValueType.NULL in (left.type, right.type):
            self._problem(left_tree, "不能和 null 比较", "要问有没有数据，写 x is not null。")
            return None
        both_numbers = left.type in NUMBERS and right.type in NUMBERS
        if left.type is not right.type and not both_numbers:
            self._mismatch(left_tree, tree, left, right)
            return None
        if operator not in ("=", "<>") and left.type in (ValueType.TEXT, ValueType.BOOLEAN):
            label = TYPE_LABELS[left.type]
            self._problem(left_tree, f"{label}没有大小，不能用 {operator}", "用 =、<> 或 in。")
            return None
        ok = self._valid_value(left, right, tree) and self._valid_value(right, left, left_tree)
        return Compare(operator, left, right) if ok else None

    def _mismatch(
        self,
        left_tree: exp.Expr,
        right_tree: exp.Expr,
        left: Expression,
        right: Expression,
    ) -> None:
        a, b = TYPE_LABELS[left.type], TYPE_LABELS[right.type]
        fix = "两边换成同一类型的事实、参数或常数。"
        kinds = {left.type, right.type}
        if kinds == {ValueType.DATE, ValueType.TEXT}:
            fix = "日期写成 DATE '2026-01-31'。"
        elif ValueType.TEXT in kinds and kinds & NUMBERS:
            fix = "代码和选项要加单引号，数不加引号。"
        elif ValueType.BOOLEAN in kinds:
            fix = "是否型事实直接写名字，前面可加 not。"
        self._problem(
            left_tree,
            f"{a}（{left_tree.sql('duckdb')}）不能和{b}（{right_tree.sql('duckdb')}）比较",
            fix,
        )

    def _valid_value(self, fact: Expression, other: Expression, tree: exp.Expr) -> bool:
        """False (and reported) when an enum fact meets a value it can never have."""
        if not isinstance(fact, Fact):
            return True
        declared = self.names.facts[fact.name].values
        constant = self.names.parameters[other.name] if isinstance(other, ParameterUse) else other
        if not declared or not isinstance(constant, Constant) or constant.value in declared:
            return True
        valid = list(declared)
        near = nearest_name(str(constant.value), valid)
        if near is None:
            near = next((k for k, label in declared.items() if label == constant.value), None)
        hint = f"是不是想写 '{near}'？" if near else ""
        shown = "、".join(f"{key}（{label}）" for key, label in declared.items())
        self._problem(
            tree, f"“{fact.name}”没有“{constant.value}”这个值", f"{hint}可写：{shown}。", near
        )
        return False

    def _minus(self, tree: exp.Expr) -> Expression | None:
        node = self._number(tree.this)
        if node is None:
            return None
        if isinstance(node, Constant) and isinstance(node.value, int | Fraction):
            return Constant(-node.value, node.type)
        return Negate(node, node.type)

    def _number(self, tree: exp.Expr) -> Expression | None:
        node = self._read(tree)
        if node is None:
            return None
        if node.type not in NUMBERS:
            label = TYPE_LABELS[node.type]
            self._problem(
                tree, f"{label}（{tree.sql('duckdb')}）不能参加计算", "只有数和金额能计算。"
            )
            return None
        return node

    def _arithmetic(self, tree: exp.Expr, operator: str) -> Expression | _Interval | None:
        left, right = self._read_any(tree.this), self._read_any(tree.expression)
        if left is None or right is None:
            return None
        if isinstance(left, _Interval) or isinstance(right, _Interval):
            return self._with_interval(tree, operator, left, right)
        if ValueType.DATE in (left.type, right.type):
            self._problem(
                tree,
                f"日期不能这样用 {operator}",
                "日期只能加减 INTERVAL；要数月数，用 EXTRACT 年和月计算，或用以月计的事实。",
            )
            return None
        for node, part in ((left, tree.this), (right, tree.expression)):
            if node.type not in NUMBERS:
                label = TYPE_LABELS[node.type]
                shown = part.sql("duckdb")
                self._problem(part, f"{label}（{shown}）不能参加计算", _ONLY_NUMBERS)
                return None
        return Arithmetic(operator, left, right, _number_type(operator, left.type, right.type))

    def _with_interval(
        self,
        tree: exp.Expr,
        operator: str,
        left: Expression | _Interval,
        right: Expression | _Interval,
    ) -> Expression | _Interval | None:
        if operator == "*" and isinstance(left, _Interval) != isinstance(right, _Interval):
            interval, factor = (left, right) if isinstance(left, _Interval) else (right, left)
            assert isinstance(interval, _Interval) and not isinstance(factor, _Interval)
            if factor.type is ValueType.INTEGER:
                product = Arithmetic("*", factor, interval.amount, ValueType.INTEGER)
                return self._checked_interval(tree, product, interval.unit)
        elif not isinstance(left, _Interval) and left.type is ValueType.DATE and operator in "+-":
            assert isinstance(right, _Interval)
            amount = right.amount
            if operator == "-":
                amount = Negate(amount, ValueType.INTEGER)
            return Shift(left, amount, right.unit)
        elif (
            operator == "+"
            and isinstance(left, _Interval)
            and not isinstance(right, _Interval)
            and right.type is ValueType.DATE
        ):
            return Shift(right, left.amount, left.unit)
        self._problem(tree, _LONE_INTERVAL, _INTERVAL_FIX)
        return None

    def _interval(self, tree: exp.Expr) -> _Interval | None:
        unit_tree = tree.args.get("unit")
        word = unit_tree.name.upper().removesuffix("S") if unit_tree is not None else ""
        if word not in _UNITS:
            self._problem(tree, f"INTERVAL 的单位不能是“{word}”", "只能用 MONTH、DAY 或 YEAR。")
            return None
        unit, size = _UNITS[word]
        inner = tree.this
        if isinstance(inner, exp.Literal):
            digits = inner.name.strip()
            if not digits.removeprefix("-").isdecimal():
                self._problem(
                    tree, f"INTERVAL 的数“{inner.name}”不是整数", "写成 INTERVAL '3' MONTH。"
                )
                return None
            amount: Expression | None = Constant(int(digits), ValueType.INTEGER)
        else:
            amount = self._read(inner)
        if amount is None:
            return None
        if size > 1:
            amount = Arithmetic("*", amount, Constant(size, ValueType.INTEGER), ValueType.INTEGER)
        return self._checked_interval(tree, amount, unit)

    def _checked_interval(self, tree: exp.Expr, amount: Expression, unit: str) -> _Interval | None:
        length = resolve(amount, self.names.parameters)
        if amount.type is not ValueType.INTEGER or not (
            isinstance(length, Constant) and isinstance(length.value, int)
        ):
            self._problem(tree, "INTERVAL 的长度只能是整数常数或整数参数", "把它写成参数。")
            return None
        if abs(length.value) > _LONGEST[unit]:
            self._problem(tree, "INTERVAL 超过一百年", "检查单位是不是写错了。")
            return None
        return _Interval(amount, unit)

    def _divide(self, tree: exp.Expr) -> Expression | None:
        dividend, divisor = self._number(tree.this), self._number(tree.expression)
        if dividend is None or divisor is None:
            return None
        if not is_constant(divisor):
            self._problem(
                tree.expression,
                f"不能除以会变的数（{tree.expression.sql('duckdb')}）",
                "只能除以常数或参数；比较两个量的比，写成乘法：a * 2 >= b。",
            )
            return None
        value = resolve(divisor, self.names.parameters)
        if not (
            isinstance(value, Constant)
            and isinstance(value.value, int | Fraction)
            and value.value > 0
        ):
            self._problem(tree.expression, "除数必须大于零", "检查参数的值。")
            return None
        return Divide(dividend, divisor)

    def _extract(self, tree: exp.Expr) -> Expression | None:
        part = tree.this.name.lower()
        node = self._read(tree.expression)
        if part not in ("year", "month", "day"):
            near = nearest_name(part, ("year", "month", "day"))
            self._problem(tree, f"EXTRACT 不能取“{part}”", "只能取 YEAR、MONTH 或 DAY。", near)
            return None
        if node is None:
            return None
        if node.type is not ValueType.DATE:
            label = TYPE_LABELS[node.type]
            self._problem(tree, f"EXTRACT 要的是日期，这里是{label}", "换成日期型事实或 as_of。")
            return None
        return Extract(part, node)

    def _case(self, tree: exp.Expr) -> Expression | None:
        if tree.this is not None:
            self._problem(tree.this, "case 后面要直接写 when", "写成 case when x = 1 then … end。")
            return None
        conditions = [self._boolean(branch.this, "when") for branch in tree.args["ifs"]]
        result_trees = [branch.args["true"] for branch in tree.args["ifs"]]
        default = tree.args.get("default")
        if default is not None:
            result_trees.append(default)
        results = [self._read(result) for result in result_trees]
        if any(node is None for node in (*conditions, *results)):
            return None
        kind = self._joint_type(tree, result_trees, [r for r in results if r is not None])
        if kind is None:
            return None
        typed = [
            Constant(None, kind) if r is not None and r.type is ValueType.NULL else r
            for r in results
        ]
        known = [r for r in typed if r is not None]
        branches = tuple(
            (when, then) for when, then in zip(conditions, known, strict=False) if when is not None
        )
        return Case(branches, known[-1] if default is not None else None, kind)

    def _joint_type(
        self,
        tree: exp.Expr,
        result_trees: list[exp.Expr],
        results: list[Expression],
    ) -> ValueType | None:
        kinds = [r.type for r in results if r.type is not ValueType.NULL]
        if not kinds:
            self._problem(tree, "case 的每个结果都是 null", "至少写一个有值的结果。")
            return None
        first = kinds[0]
        for result_tree, result in zip(result_trees, results, strict=True):
            same = result.type in (first, ValueType.NULL)
            if not same and not (result.type in NUMBERS and first in NUMBERS):
                a, b = TYPE_LABELS[first], TYPE_LABELS[result.type]
                self._problem(result_tree, f"case 的结果有{a}也有{b}", "让每个结果都是同一类型。")
                return None
        return first if len(set(kinds)) == 1 else ValueType.DECIMAL


def _number_type(operator: str, left: ValueType, right: ValueType) -> ValueType:
    if left is right and (operator != "*" or left is ValueType.INTEGER):
        return left
    kinds = {left, right}
    if kinds == {ValueType.MONEY, ValueType.INTEGER}:
        return ValueType.MONEY
    return ValueType.DECIMAL


def _depth(tree: exp.Expr) -> int:
    """Levels of nesting, counted without recursion."""
    level, deepest = [tree], 0
    while level:
        deepest += 1
        level = [child for node in level for child in node.iter_expressions()]
    return deepest


def _start(tree: exp.Expr) -> int:
    """Offset of the first character of a tree that the parser remembers."""
    starts = [node.meta["start"] for node in tree.walk() if "start" in node.meta]
    return min(starts, default=0)


def _written_function(text: str, tree: exp.Func) -> tuple[str, int]:
    """Name and offset of a function as the author wrote it (the parser renames some)."""
    inside = _start(tree)
    calls = [m for m in _CALL.finditer(text) if m.group(1).lower() not in _NOT_FUNCTIONS]
    before = [m for m in calls if m.start() <= inside] or calls
    if before:
        return before[-1].group(1), before[-1].start()
    name = tree.sql_name()
    return name, max(text.upper().find(name), 0)


def _offset(text: str, highlight: object, before: object) -> int:
    """Offset of a syntax error from the parser's excerpt (the part before it may be cut)."""
    context = before if isinstance(before, str) else ""
    mark = highlight if isinstance(highlight, str) else ""
    found = text.find(context + mark)
    return min(found + len(context) if found >= 0 else 0, max(len(text) - 1, 0))

"""Reads what a yes is worth: a formula, or bands, with what is multiplied, floored and capped.

Every form becomes one expression, so that engines meet ordinary arithmetic. The order is fixed:
formula or band, × per, × months ÷ over, then floor, then cap, then rounding.
"""

from decimal import Decimal
from fractions import Fraction

from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.load.expression import ExpressionReader
from getihu.rulebook.model.expressions import (
    Arithmetic,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    ValueType,
    facts_in,
    parameters_in,
)
from getihu.rulebook.model.numbers import ROUNDINGS, TooLarge, check_amount_size
from getihu.rulebook.model.parameters import settle
from getihu.rulebook.model.rules import Amount, Instalment, Parameter

MONEY = ValueType.MONEY


class AmountReading:
    """The reading of ``amount`` and ``instalments`` of one rule."""

    def __init__(
        self,
        document: Document,
        root: Located,
        reader: ExpressionReader,
        parameters: tuple[Parameter, ...],
    ) -> None:
        self.document = document
        self.at = root.get("amount")
        self.instalments_at = root.get("instalments")
        self.reader = reader
        self.parameters = parameters
        self.texts: list[str] = []

    def amount(self) -> Amount | None:
        if self.at is None or not isinstance(self.at.value, dict):
            return None
        rounding = self._text("round")
        formula = self._formula()
        expression = None if formula is None else self._adjusted(formula)
        if expression is None or rounding not in ROUNDINGS:
            return None
        resolved = settle(expression, self.parameters)
        try:
            check_amount_size(resolved, rounding)
        except TooLarge:
            self.document.report(
                "算式的结果可能超出 38 位数",
                self.at,
                "减少相乘的事实，或先除以常数。",
                field="amount",
            )
            return None
        used = dict.fromkeys([*facts_in(expression), *facts_in(resolved)])
        return Amount(
            text="；".join(self.texts),
            label=self._text("label"),
            rounding=rounding,
            article=self._text("article"),
            expression=expression,
            resolved=resolved,
            facts=tuple(used),
            parameters=parameters_in(expression),
        )

    def _text(self, key: str) -> str:
        value = self.at.get(key) if self.at else None
        return value.value.strip() if value and isinstance(value.value, str) else ""

    def _number(self, *path: str) -> tuple[bool, Expression | None]:
        """(no problem, the expression or None where there is no such key)."""
        located = self.at.get(*path) if self.at else None
        if located is None:
            return True, None
        read = self.reader.read_number(located, ".".join(("amount", *path)))
        return read is not None, read

    def _formula(self) -> Expression | None:
        assert self.at is not None
        if (bands := self.at.get("bands")) is not None:
            return self._bands(bands)
        yuan = self.at.get("yuan")
        if yuan is None or not isinstance(yuan.value, str) or not yuan.value.strip():
            return None
        self.texts.append(" ".join(yuan.value.split()))
        return self.reader.read_number(yuan, "amount.yuan")

    # bands

    def _bands(self, located: Located) -> Expression | None:
        _, of = self._number("bands", "of")
        rows = located.get("rows")
        if of is None or rows is None:
            return None
        read = [self._band(n, row) for n, row in enumerate(rows.elements(), 1)]
        if any(row is None for row in read) or not self._check_order(rows):
            return None
        known = [row for row in read if row is not None]
        how = located.get("how")
        self.texts.append(_bands_text(located))
        if how is not None and how.value == "progressive":
            return _progressive(of, known)
        return _step(of, known)

    def _band(self, number: int, located: Located) -> tuple[Fraction | None, Expression] | None:
        """The upper end (None: open) and what the band gives: yuan, or a rate."""
        field = f"amount.bands.rows.{number}"
        up_to = located.get("up_to")
        end = None
        if up_to is not None:
            if isinstance(up_to.value, bool) or not isinstance(up_to.value, int | Decimal):
                return None  # the shape is wrong and already told
            end = Fraction(up_to.value)
        given = located.get("rate") or located.get("yuan")
        if given is None:
            return None
        read = self.reader.read_number(given, field)
        return None if read is None else (end, read)

    def _check_order(self, rows: Located) -> bool:
        last: Fraction | None = Fraction(-1)
        for row in rows.elements():
            up_to = row.get("up_to")
            if last is None:
                self.document.report(
                    "没有 up_to 的一档后面的档永远用不到",
                    row,
                    "把没有 up_to 的一档放到最后。",
                    field="amount.bands",
                )
                return False
            if up_to is None:
                last = None
                continue
            if Fraction(up_to.value) <= last:
                self.document.report(
                    "这一档的 up_to 不大于前一档，永远用不到",
                    up_to,
                    "按从小到大排列。",
                    field="amount.bands",
                )
                return False
            last = Fraction(up_to.value)
        return True

    # what follows the formula

    def _adjusted(self, formula: Expression) -> Expression | None:
        fine, per = self._number("per")
        fine_months, months = self._number("months", "of")
        fine_floor, floor = self._number("floor")
        fine_cap, cap = self._number("cap")
        if not (fine and fine_months and fine_floor and fine_cap):
            return None
        worth = formula
        if per is not None:
            worth = Arithmetic("*", worth, per, MONEY)
            self._note("per", "× {}")
        if months is not None and (over := self._over()) is not None:
            times = Arithmetic("*", worth, months, ValueType.DECIMAL)
            worth = Divide(times, Constant(over, ValueType.INTEGER))
            self._note("months", f"× {{}} ÷ {over}", "of")
        if floor is not None:
            worth = Case(((Compare("<", worth, floor), floor),), worth, MONEY)
            self._note("floor", "不低于 {}")
        if cap is not None:
            worth = Case(((Compare(">", worth, cap), cap),), worth, MONEY)
            self._note("cap", "不超过 {}")
        return worth

    def _over(self) -> int | None:
        located = self.at.get("months", "over") if self.at else None
        return located.value if located and isinstance(located.value, int) else None

    def _note(self, key: str, words: str, *inner: str) -> None:
        located = self.at.get(key, *inner) if self.at else None
        if located is not None:
            self.texts.append(words.format(located.written or located.value))

    # instalments

    def instalments(self) -> tuple[Instalment, ...]:
        if self.instalments_at is None:
            return ()
        read = []
        for located in self.instalments_at.elements():
            plain = located.plain()
            if not isinstance(plain, dict) or ("yuan" in plain) == ("share" in plain):
                self.document.report(
                    "每一期写 yuan 或 share，只能写一个",
                    located,
                    "写成 {yuan: 4000, due: 第一年} 或 {share: 0.4, due: 第一年}。",
                    field="instalments",
                )
                return ()
            read.append(
                Instalment(
                    yuan=_decimal(plain.get("yuan")),
                    share=_decimal(plain.get("share")),
                    due=str(plain.get("due", "")),
                    article=str(plain.get("article", "")),
                )
            )
        return tuple(read)

    def check_instalments(self, amount: Amount | None, instalments: tuple[Instalment, ...]) -> None:
        """All of an award is paid in the end: shares make one, yuan make the amount if fixed."""
        if not instalments or self.instalments_at is None:
            return
        shares = [each.share for each in instalments if each.share is not None]
        paid = [each.yuan for each in instalments if each.yuan is not None]
        if shares and paid:
            wrong = "各期要么都写 yuan，要么都写 share"
        elif shares and sum(shares) != 1:
            wrong = f"各期的 share 合计是 {sum(shares)}，不是 1"
        elif amount is not None and isinstance(amount.resolved, Constant) and paid:
            whole = amount.resolved.value
            assert isinstance(whole, int | Fraction)
            if Fraction(sum(paid)) == whole:
                return
            wrong = f"各期合计 {sum(paid)} 元，和金额 {whole} 元不一致"
        else:
            return
        self.document.report(
            wrong, self.instalments_at, "改各期的数，或改 amount。", field="instalments"
        )


def _decimal(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _step(of: Expression, rows: list[tuple[Fraction | None, Expression]]) -> Expression:
    """The band the whole number lies in gives the whole amount; above the last one: unknown."""
    branches = tuple(
        (Compare("<=", of, _constant(end, of)), gives) for end, gives in rows if end is not None
    )
    top = next((gives for end, gives in rows if end is None), None)
    if not branches:
        assert top is not None
        return top
    return Case(branches, top, MONEY)


def _progressive(of: Expression, rows: list[tuple[Fraction | None, Expression]]) -> Expression:
    """Each rate on the part of the number inside its band."""
    start, base = Fraction(0), None
    branches: list[tuple[Expression, Expression]] = []
    top: Expression | None = None
    for end, rate in rows:
        above = Arithmetic("-", of, _constant(start, of), MONEY) if start else of
        part = Arithmetic("*", above, rate, MONEY)
        worth = part if base is None else Arithmetic("+", base, part, MONEY)
        if end is None:
            top = worth
            continue
        branches.append((Compare("<=", of, _constant(end, of)), worth))
        whole = Arithmetic("*", _constant(end - start, of), rate, MONEY)
        base = whole if base is None else Arithmetic("+", base, whole, MONEY)
        start = end
    if not branches:
        assert top is not None
        return top
    return Case(tuple(branches), top, MONEY)


def _constant(value: Fraction | None, of: Expression) -> Constant:
    assert value is not None
    return Constant(value.numerator if value.denominator == 1 else value, of.type)


def _bands_text(located: Located) -> str:
    """The bands in one line, as a person writes them."""
    plain = located.plain()
    parts = []
    for row in plain["rows"]:
        upto = f"{row['up_to']} 及以下" if "up_to" in row else "以上"
        parts.append(f"{upto}：{row.get('rate', row.get('yuan'))}")
    how = "超额累进" if plain.get("how") == "progressive" else "按所在档"
    return f"按 {plain['of']} 分档（{how}）：{'；'.join(parts)}"

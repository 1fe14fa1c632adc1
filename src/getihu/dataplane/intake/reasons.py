"""Why a row did not come in, in words an office can act on."""

from typing import Final

from getihu.dataplane.contracts import Column
from getihu.kernel import codes

ROW_REASONS: Final = {
    "columns": ("列数与数据契约不符，可能多了或少了逗号", "核对本行的逗号和引号，随更正批次送达"),
    "encoding": ("本行不是清单声明的编码", "按声明的编码重新导出本行"),
    "character": (
        "含有不能入库的字符（控制字符、乱码替换符或私用区字符）",
        "去掉控制字符，改用标准汉字后重新送达",
    ),
    "too_long": ("一行过长（超过十万字），可能漏了换行", "每条记录一行，重新导出"),
    "quotes": ("引号不成对", "核对本行的引号，随更正批次送达"),
    "blank_line": ("空行", "删除空行"),
    "key_conflict": ("同一批次里同一主键有内容不同的多行", "确认哪一行正确，只送达这一行"),
}
_CELL_REASONS: Final = {
    "blank": ("{header}为必填项，这里是空的", "补填后随更正批次送达"),
    "not_trader": ("统一社会信用代码不以92开头，不是个体工商户的代码", "核对是否送错主体"),
    "text": ("{header}过长（超过2000字）", "核对是否串行"),
    "integer": ("{header}应为整数，不带单位、逗号和小数", "改成数字，例如 3"),
    "money": (
        "{header}应为金额（元），只写数字，最多两位小数，不带单位和逗号",
        "改成例如 12000.50",
    ),
    "decimal": ("{header}应为数字，最多四位小数", "改成例如 0.01"),
    "date": ("{header}应为真实存在的日期，写成 2026-10-31", "核对日期"),
    "month": ("{header}应为月份，写成 2026-10", "核对月份"),
    "year": ("{header}应为四位年份", "核对年份"),
    "boolean": ("{header}只能填“是”或“否”", "改成“是”或“否”"),
    "enum": ("{header}的取值不在数据契约里", "只能填：{labels}"),
    "county": ("{header}不是温州现行的县（市、区）代码", "洞头为330305，龙港为330383"),
    "town": ("{header}不是温州现行的乡镇街道代码", "核对；龙港市不设乡镇，应留空"),
    "town_elsewhere": ("{header}不在所填的县（市、区）", "核对县区和乡镇街道"),
    "industry": ("{header}不是 GB/T 4754-2017 的四位小类代码", "按经营范围核对行业小类"),
    "future": ("{header}晚于批次签发日", "核对日期"),
    "record_status": ("记录状态只能填“有效”或“撤回”", "改成“有效”或“撤回”"),
}


def reason_text(reason_code: str, column: Column | None) -> tuple[str, str]:
    """Return reason and fix of a reason code, for the column it was found in."""
    if reason_code.startswith("code_"):
        return codes.REASONS[reason_code.removeprefix("code_")]
    if column is None:
        return ROW_REASONS.get(reason_code) or _CELL_REASONS[reason_code]
    reason, fix = _CELL_REASONS[reason_code]
    labels = "、".join(column.values.values())
    return reason.format(header=column.header), fix.format(labels=labels)

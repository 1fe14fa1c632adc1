"""Shapes of the ratings' API."""

from datetime import date

from ninja import Field, Schema


class Statistics(Schema):
    """一个机关一个事项的评价。条数不够公布的，各项都是 null：不知道，不是 0。"""

    matter_id: str = Field(description="事项编号")
    matter_title: str = Field(description="事项")
    agency: str = Field(description="机关代码")
    agency_name: str = Field(description="机关")
    counts: dict[int, int] | None = Field(
        description="各档条数：5 非常满意，4 满意，3 基本满意，2 不满意，1 非常不满意"
    )
    total: int | None = Field(description="评价条数；不评的不算")
    good_share: float | None = Field(description="好评率：前三档的条数 ÷ 全部条数，0 到 1")
    until: date | None = Field(description="算到哪一天；只算过完的月份")

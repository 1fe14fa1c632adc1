"""Shapes of the slice's API."""

import uuid
from datetime import date

from ninja import Field, Schema


class TypeCount(Schema):
    """一个型的户数。少于规定户数的是 null：不公布，不是 0。"""

    type: str = Field(description="型：surviving、growing、developing，或者未纳入的原因")
    label: str = Field(description="名称")
    count: int | None = Field(description="户数")


class Types(Schema):
    """一个县（市、区）或者全市的分型。"""

    county_code: str = Field(description="行政区划代码")
    county_name: str = Field(description="地区")
    as_of: date = Field(description="按哪一天的数据")
    sha256: str = Field(description="分型文件的指纹，公开日志里有同一个")
    total: int = Field(description="全部户数")
    shares: list[TypeCount]


class PoolCount(Schema):
    """一个培育库的户数。"""

    id: str = Field(description="编号")
    title: str = Field(description="名称")
    group: str = Field(description="哪一组")
    members: int = Field(description="现在的户数；一户只算一次")


class PoolList(Schema):
    """一份公示或者公布的年度名单。"""

    id: uuid.UUID = Field(description="编号")
    pool_id: str = Field(description="培育库")
    county_code: str = Field(description="行政区划代码")
    year: int = Field(description="年度")
    state: str = Field(description="open 公示中，concluded 已公布")
    members_count: int = Field(description="户数")
    list_sha256: str = Field(description="公示名单的指纹")
    final_sha256: str = Field(description="公布名单的指纹；还没有公布的为空")
    object_until: date | None = Field(description="异议到哪一天止")


class InPool(Schema):
    """一户在一个库里。"""

    pool_id: str = Field(description="培育库")
    title: str = Field(description="名称")
    level: str = Field(description="county 县级，city 市级，province 省级")
    valid_from: date = Field(description="从哪一天起")
    valid_until: date | None = Field(description="到哪一天（不含）；null 为没有终止日")
    why: str = Field(description="为什么")
    is_now: bool = Field(description="现在是否在库")

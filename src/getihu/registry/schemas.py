"""Shapes of the registry's API."""

from datetime import date

from ninja import Field, Schema


class Trader(Schema):
    """一户的身份：登记信息截至某日的样子。"""

    trader_code: str = Field(description="统一社会信用代码")
    name: str = Field(description="名称")
    subject_kind: str = Field(description="主体类型：individual 个体工商户，enterprise 企业")
    status: str = Field(description="登记状态")
    status_label: str = Field(description="登记状态的中文")
    established_on: date = Field(description="成立日期")
    industry_code: str = Field(description="行业代码（GB/T 4754）")
    industry_name: str = Field(description="行业名称")
    county_code: str = Field(description="经营场所所在县（市、区）代码，不是信用代码里的区划")
    county_name: str = Field(description="县（市、区）名称")
    town_code: str | None = Field(description="乡镇街道代码；龙港市不设乡镇")
    town_name: str | None = Field(description="乡镇街道名称")
    as_of: date = Field(description="截至日期")


class Change(Schema):
    """一次登记变更。"""

    kind: str = Field(description="变更事项")
    kind_label: str = Field(description="变更事项的中文")
    changed_on: date = Field(description="变更日期")


class Search(Schema):
    """按名称或代码查找；名称放在请求体里，不出现在网址中。"""

    text: str = Field(min_length=2, max_length=60, description="名称的一部分，或信用代码开头")
    limit: int = Field(default=20, ge=1, le=100, description="最多返回几户")

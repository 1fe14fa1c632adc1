"""The hotline's file comes in whole, or not at all with every line named."""

import pytest

from getihu.kernel.errors import InvalidInput
from getihu.support import services
from getihu.support.models import Appeal
from tests.support.conftest import AT, Cast

pytestmark = pytest.mark.django_db
HEAD = "工单号,来电时间,内容,地址,联系电话\n"
GOOD = "A1,2026-10-30 09:30,五马街停电三天没人来修,鹿城区五马街道五马街1号,\n"


def imported(cast: Cast, text: str, encoding: str = "utf-8") -> tuple[int, int]:
    content = text.encode(encoding)
    return services.import_appeals(content, file="12345.csv", by=cast.desk, at=AT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_in_any_of_our_encodings_and_again_is_no_change(cast: Cast, encoding):
    text = HEAD + GOOD + GOOD.replace("A1", "A2")
    assert imported(cast, text, encoding) == (2, 0)
    assert imported(cast, text + GOOD.replace("A1", "A3")) == (1, 2)
    row = Appeal.objects.get(origin="A1")
    assert row.received_at.isoformat() == "2026-10-30T01:30:00+00:00"
    assert row.channel == "hotline" and row.place == "330302006"


@pytest.mark.parametrize(
    "text, line, why",
    [
        ("工单号,内容\n", 1, "没有这些列"),
        (HEAD + GOOD + GOOD, 3, "和第 2 行工单号相同"),
        (HEAD + GOOD.replace("2026-10-30 09:30", "10月30日"), 2, "来电时间"),
        (HEAD + GOOD.replace("2026-10-30", "2027-10-30"), 2, "在以后"),
        (HEAD + GOOD.replace("五马街停电三天没人来修", "停"), 2, "4 到"),
        (HEAD + GOOD.replace("A1", ""), 2, "没有工单号"),
        (HEAD + GOOD.replace("没人来修", "没人,来修"), 2, "多了列"),
        (HEAD + 'A9,"2026', 2, "引号"),
    ],
)
def test_what_is_wrong_names_its_line_and_nothing_is_taken_in(cast: Cast, text, line, why):
    with pytest.raises(InvalidInput) as refused:
        imported(cast, text + "")
    assert any(p.line == line and why in p.message for p in refused.value.problems)
    assert not Appeal.objects.exists()

"""What is odd is not fine: checks between staging and publishing that hold a delivery for a person."""

from datetime import date, datetime, timedelta
from typing import Final

from getihu.dataplane.contracts import DatasetContract
from getihu.dataplane.intake.lines import Held
from getihu.dataplane.intake.manifest import Manifest
from getihu.dataplane.intake.stage import Staged

# 本项目设定，非官方: no source gives them; they only decide when a person looks.
MAX_QUARANTINED_RATIO: Final = 0.20
MAX_ROWS_CHANGE_RATIO: Final = 0.30
# Below this many rows a third more or less is ordinary.
SMALLEST_COMPARED: Final = 100
# A clock may run ahead of ours by this much.
CLOCK_TOLERANCE: Final = timedelta(minutes=10)


def audit(
    manifest: Manifest,
    contract: DatasetContract,
    staged: Staged,
    earlier_rows: int | None,
    at: datetime,
) -> None:
    """Raise Held when a person should look before this delivery counts.

    ``earlier_rows`` is the size of the comparable delivery before; None when there is none.
    """
    release = f"人工放行（getihu release {manifest.delivery_id} --by 工号 --reason 理由）"
    if manifest.issued_at > at + CLOCK_TOLERANCE:
        raise Held("签发时间在将来。处理办法：核对部门系统的时钟。")
    if manifest.covers_until > manifest.issued_at.date():
        raise Held("数据覆盖到签发日之后。处理办法：核对清单的 covers_until。")
    if date.fromisoformat(f"{manifest.period}-01-01"[:10]) > manifest.covers_until:
        raise Held(
            f"清单的期间 {manifest.period} 在数据截止日 {manifest.covers_until} 之后。"
            "处理办法：核对清单的 period 和 covers_until。"
        )
    if staged.rows_in == 0:
        raise Held("文件里一行数据也没有。处理办法：确属没有的，请" + release + "；否则重新送达。")
    if staged.quarantined > staged.rows_in * MAX_QUARANTINED_RATIO:
        share = staged.quarantined / staged.rows_in
        raise Held(
            f"{share:.0%} 的行有问题（上限 {MAX_QUARANTINED_RATIO:.0%}），可能整批导出有误。"
            f"最多的是：{staged.commonest_reason()}"
            f"处理办法：下载隔离清单核对后重新送达，或{release}。"
        )
    if staged.equal_columns:
        raise Held(
            f"《{contract.title}》的“{'、'.join(staged.equal_columns)}”整列都是同一个值。"
            f"处理办法：核对导出；确属如此的，请{release}。"
        )
    if staged.rows_of_period == 0 and manifest.corrects is None:
        raise Held(
            f"清单的期间是 {manifest.period}，文件里没有一行属于这一期，可能错期。"
            f"处理办法：核对导出的期间；确属如此的，请{release}。"
        )
    _check_size(staged, earlier_rows, release)


def _check_size(staged: Staged, earlier_rows: int | None, release: str) -> None:
    if earlier_rows is None or max(earlier_rows, staged.rows_in) < SMALLEST_COMPARED:
        return
    if abs(staged.rows_in - earlier_rows) > earlier_rows * MAX_ROWS_CHANGE_RATIO:
        raise Held(
            f"行数从上一批的 {earlier_rows:,} 变为 {staged.rows_in:,}，"
            f"超过 {MAX_ROWS_CHANGE_RATIO:.0%}。处理办法：核对是否漏传；确属如此的，请{release}。"
        )

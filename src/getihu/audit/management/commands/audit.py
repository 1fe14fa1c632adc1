"""``manage.py audit sequence | status | check | receipt | rebuild``: a door to the audit log."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from getihu.audit import selectors, services
from getihu.kernel.errors import GetihuError


class Command(BaseCommand):
    help = "审计日志：收录（sequence）、状态（status）、核对（check）、取证明（receipt）、重建文件（rebuild）。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("sequence", help="把已提交的事件收进日志，签发检查点；每分钟运行一次")
        verbs.add_parser("status", help="收录到哪里，还有多少在等")
        verbs.add_parser("check", help="核对数据库、文件、检查点和签名")
        receipt = verbs.add_parser("receipt", help="打印一个事件的存在证明（.tlog-proof）")
        receipt.add_argument("event_id", type=int)
        verbs.add_parser("rebuild", help="文件损坏或丢失后，从数据库重建日志文件")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(options)
        except GetihuError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error

    def _sequence(self, options: dict[str, Any]) -> None:
        report = services.sequence(datetime.now(UTC))
        self.stdout.write(f"收录 {report.taken:,} 条，日志共 {report.size:,} 条。")

    def _status(self, options: dict[str, Any]) -> None:
        status = selectors.log_status()
        since = f"，最早的一条记于 {status.oldest_waiting_at}" if status.oldest_waiting_at else ""
        self.stdout.write(f"已签 {status.signed:,} 条，等待 {status.waiting:,} 条{since}。")

    def _check(self, options: dict[str, Any]) -> None:
        findings = selectors.check_log(progress=lambda m: self.stderr.write(m))
        for finding in findings:
            where = "" if finding.log_index is None else f"第 {finding.log_index} 条："
            self.stdout.write(f"{where}{finding.message}")
        if findings:
            sys.exit(4)
        self.stdout.write("日志完好。")

    def _receipt(self, options: dict[str, Any]) -> None:
        receipt = selectors.get_receipt(options["event_id"])
        self.stdout.write(selectors.receipt_file(receipt), ending="")

    def _rebuild(self, options: dict[str, Any]) -> None:
        count = services.rebuild_files(datetime.now(UTC))
        self.stdout.write(f"重建 {count:,} 个文件，与签过的检查点相符。")

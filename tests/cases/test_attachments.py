"""Files of a case: inert kinds only, looked into first, seen by nobody else, sent once."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from getihu.cases import services
from getihu.cases.models import Attachment, Case, HandledPost
from getihu.cases.ports import Finding, ScannerUnavailable
from getihu.cases.selectors import CaseNotFound, list_attachments, read_attachment
from getihu.cases.services import FileRefused, IllegalMove, KeyUsed
from tests.cases.cast import AT, SHOP, TOWN, days, make_cast

pytestmark = pytest.mark.django_db

CATERING = "entry.catering_opening"
PNG = b"\x89PNG\r\n\x1a\n" + b"a plan of the kitchen"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def case(cast):
    return services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)


def attach(case, cast, content=PNG, document="layout"):
    return services.attach(case, document, content, by=cast.owner, at=AT)


def test_a_file_is_kept_and_given_back_byte_for_byte(cast, case):
    made = attach(case, cast)
    view, content = read_attachment(case, made, actor=cast.owner)
    assert (content, view.kind, view.title) == (PNG, "png", "设备布局和操作流程图")


def test_the_same_file_again_is_the_same_attachment(cast, case):
    assert attach(case, cast) == attach(case, cast)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "空的"),
        (b"<html><script>alert(1)</script>", "只收"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "只收"),
        (b"PK\x03\x04 a document with macros", "只收"),
        (b"%PDF-1.7 /OpenAction << /S /JavaScript >>", "自动运行"),
        (PNG + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE", "病毒"),
        (PNG + b"0" * 10 * 1024 * 1024, "10 MB"),
    ],
)
def test_what_is_not_inert_or_not_clean_is_not_kept(cast, case, content, why):
    with pytest.raises(FileRefused, match=why):
        attach(case, cast, content)
    assert Attachment.objects.count() == 0


def no_answer(content: bytes) -> Finding:
    raise ScannerUnavailable


def says_clean(content: bytes) -> Finding:
    return Finding("says-clean")


def test_nothing_is_kept_while_the_scanner_does_not_answer(cast, case, settings):
    settings.ATTACHMENT_SCANNER = f"{__name__}.no_answer"
    with pytest.raises(FileRefused, match="暂时不能用"):
        attach(case, cast)
    settings.ATTACHMENT_SCANNER = f"{__name__}.says_clean"
    attach(case, cast, PNG + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE")
    assert Attachment.objects.get().scanned_by == "says-clean"


def test_the_database_keeps_no_file_nobody_looked_at(cast, case):
    attach(case, cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.update(scanned_by="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.update(kind="html")


def test_what_a_department_holds_is_never_taken(cast, case):
    with pytest.raises(IllegalMove, match="不用您交"):
        attach(case, cast, document="licence")


def test_strangers_see_and_add_nothing(cast, case):
    made = attach(case, cast)
    for actor in (cast.stranger, cast.window, cast.elsewhere):
        with pytest.raises(CaseNotFound):
            read_attachment(case, made, actor=actor)
        with pytest.raises(CaseNotFound):
            services.attach(case, "layout", PNG, by=actor, at=AT)


def test_a_file_can_be_taken_out_before_handing_in_and_not_after(cast, case):
    first, second = attach(case, cast), attach(case, cast, PNG + b"2")
    services.take_out(case, first, by=cast.owner, at=AT)
    assert [view.id for view in list_attachments(case, actor=cast.owner)] == [str(second)]
    form = {"use_area_m2": "80", "seats": 20, "has_signboard": True}
    services.save_draft(case, form, by=cast.owner)
    services.submit(case, by=cast.owner, at=days(1))
    assert len(list_attachments(case, actor=cast.window)) == 1
    with pytest.raises(IllegalMove, match="已经提交"):
        services.take_out(case, second, by=cast.owner, at=days(1))
    with pytest.raises(IllegalMove, match="已经提交"):
        attach(case, cast, PNG + b"3")


def open_once(cast, key, asked="a"):
    def do() -> str:
        return str(services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT))

    return services.once(key, asked, do, by=cast.owner, at=AT)


def test_a_form_sent_twice_acts_once(cast):
    key = uuid.uuid4()
    assert open_once(cast, key) == open_once(cast, key)
    assert Case.objects.count() == 1
    with pytest.raises(KeyUsed):
        open_once(cast, key, asked="another request")
    assert open_once(cast, uuid.uuid4()) and Case.objects.count() == 2


def test_a_form_that_failed_can_be_sent_again(cast):
    key = uuid.uuid4()

    def fails() -> str:
        raise IllegalMove("现在不行")

    with pytest.raises(IllegalMove):
        services.once(key, "a", fails, by=cast.owner, at=AT)
    assert HandledPost.objects.count() == 0
    assert open_once(cast, key)

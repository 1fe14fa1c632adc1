"""From problem to rule: a cluster, a ticket, a named case in the mended rule, and everybody told."""

import pytest

from getihu.notifications.models import Notice
from getihu.support import selectors, services
from getihu.support.contracts import Event
from getihu.support.models import Appeal, AppealEvent, Ticket
from tests.support.conftest import AT, Cast, days, on, told

pytestmark = pytest.mark.django_db
NODE = "rule:policies.expansion_subsidy_2025"


@pytest.fixture
def cluster(cast: Cast):
    for who in (cast.owner, cast.stranger, cast.owner):
        filed = told(cast, "招了毕业生，扩岗补助为什么没有我们", by=who, trader_code="", node=NODE)
        services.assign(filed.id, "subsidy", by=cast.desk, at=AT)
    return cast


def test_three_of_one_subject_at_one_rule_are_a_cluster(cast: Cast, cluster):
    (found,) = selectors.oversee(cast.lead, on=on()).clusters
    assert (found.node, found.subject, found.count) == (NODE, "subsidy", 3)
    with pytest.raises(services.NotAllowed):
        services.open_ticket(NODE, "subsidy", by=cast.desk, at=AT)
    with pytest.raises(services.IllegalMove):
        services.open_ticket(NODE, "tax", by=cast.lead, at=AT)


def test_mended_means_the_rule_carries_it_as_a_case(cast: Cast, cluster):
    number = services.open_ticket(NODE, "subsidy", by=cast.lead, at=AT)
    assert number == "T-2026-001" and Appeal.objects.exclude(ticket=None).count() == 3
    ticket = Ticket.objects.get()
    common = {"change": "写明个体工商户不享受，和原因", "by": cast.lead, "at": days(1)}
    for name in ("个体工商户不适用", "T-2026-001：没有这一条"):  # no number; no such case
        with pytest.raises(services.IllegalMove, match="例子"):
            services.mend(ticket.pk, case_name=name, **common)
    case = "T-2026-001：个体工商户招了毕业生问为什么没有，2025年版写明不享受"
    assert services.mend(ticket.pk, case_name=case, **common) == 3
    assert AppealEvent.objects.filter(event=Event.MENDED).count() == 3
    told_them = Notice.objects.filter(template_id="appeal.mended").values_list(
        "recipient", flat=True
    )
    assert {str(p) for p in told_them} == {cast.owner.account_id, cast.stranger.account_id}
    (shown,) = selectors.oversee(cast.lead, on=on(1)).tickets
    assert shown.outcome == "mended" and shown.mended_case == case


def test_kept_needs_a_reason(cast: Cast, cluster):
    services.open_ticket(NODE, "subsidy", by=cast.lead, at=AT)
    pk = Ticket.objects.get().pk
    with pytest.raises(services.BadAppeal):
        services.keep(pk, reason=" ", by=cast.lead, at=AT)
    assert services.keep(pk, reason="文件就是这样写的。", by=cast.lead, at=AT) == 3
    with pytest.raises(services.IllegalMove):
        services.keep(pk, reason="再来", by=cast.lead, at=AT)


def test_old_and_unsolved_are_found_by_rule(cast: Cast):
    filed = told(cast)
    assert not any(each.rows for each in selectors.oversee(cast.lead, on=on(20)).unsolved)
    found = {each.title: each.rows for each in selectors.oversee(cast.lead, on=on(40)).unsolved}
    assert [row.number for row in found["三十天还没有答复"]] == [filed.number]
    for day in (1, 3):
        services.assign(filed.id, "power", by=cast.desk if day == 1 else cast.power, at=days(day))
        services.answer(filed.id, "已经修好了。", by=cast.power, at=days(day))
        filed = services.reopen(filed.id, reason="又停了", by=cast.owner, at=days(day + 1))
    found = {each.title: each.rows for each in selectors.oversee(cast.lead, on=on(5)).unsolved}
    assert [row.number for row in found["重新提出过两次以上"]] == [filed.number]

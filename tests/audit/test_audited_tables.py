"""Every change of an audited table has exactly one event, however it is made (PostgreSQL)."""

import hashlib
import json
import random
from collections import Counter
from types import SimpleNamespace

import pytest
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

from getihu.audit import guards, selectors, services
from getihu.audit.canonical import canonical_json
from getihu.audit.migrations_support import audit_table
from getihu.audit.models import Event, SubjectKey
from tests.audit.conftest import AT, full_database_rights

pytestmark = pytest.mark.django_db


class Stall(models.Model):
    """A table of another app, for these tests only."""

    name = models.CharField(max_length=80)
    area_m2 = models.IntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "audit_tests"
        db_table = "audit_tests_stall"


def make_table() -> None:
    at = "timestamptz" if connection.vendor == "postgresql" else "text"
    key = "bigserial" if connection.vendor == "postgresql" else "integer"
    sql(
        f"CREATE TABLE audit_tests_stall (id {key} PRIMARY KEY, name varchar(80) NOT NULL, "
        f"area_m2 integer NOT NULL, opened_at {at})"
    )


def apply(operation: migrations.RunPython, *, backwards: bool = False) -> None:
    move = operation.database_backwards if backwards else operation.database_forwards
    move("audit_tests", SimpleNamespace(connection=connection), ProjectState(), ProjectState())


@pytest.fixture
def stalls(data_dir):
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite only the services write events; see docs/reference/audit-log.md")
    make_table()
    apply(audit_table("audit_tests_stall"))


def kinds() -> Counter:
    return Counter(Event.objects.filter(kind__startswith="row.").values_list("kind", flat=True))


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def change_in_every_way() -> None:
    Stall.objects.bulk_create([Stall(name=f"摊{i}") for i in range(10)])
    Stall.objects.filter(name__in=["摊1", "摊2", "摊3"]).update(area_m2=9)
    sql("UPDATE audit_tests_stall SET area_m2 = area_m2 + 1 WHERE name = '摊4'")
    stall = Stall.objects.get(name="摊5")
    stall.area_m2 = 4
    stall.save()
    Stall.objects.bulk_update([Stall(pk=stall.pk, name="改名")], ["name"])
    Stall.objects.filter(name__in=["摊6", "摊7"]).delete()
    sql("DELETE FROM audit_tests_stall WHERE name = '摊8'")
    sql("INSERT INTO audit_tests_stall (name, area_m2) SELECT name, 1 FROM audit_tests_stall")


EXPECTED = {"row.insert": 17, "row.update": 6, "row.delete": 3}


def test_bulk_writes_and_raw_sql_do_not_escape(stalls):
    change_in_every_way()

    assert kinds() == EXPECTED


def test_without_the_trigger_they_would(stalls):
    apply(audit_table("audit_tests_stall"), backwards=True)
    change_in_every_way()

    assert kinds() == Counter()


def test_a_listener_to_django_signals_misses_most(stalls):
    heard = Counter()
    for name in ("post_save", "post_delete"):
        signal = getattr(models.signals, name)
        signal.connect(
            lambda signal_name=name, **_: heard.update([signal_name]),
            sender=Stall,
            weak=False,
            dispatch_uid=name,
        )
    change_in_every_way()
    for name in ("post_save", "post_delete"):
        getattr(models.signals, name).disconnect(sender=Stall, dispatch_uid=name)

    assert sum(heard.values()) < sum(kinds().values())


def test_truncate_writes_one_event_with_the_number_of_rows(stalls):
    Stall.objects.bulk_create([Stall(name="摊") for _ in range(3)])
    sql("TRUNCATE audit_tests_stall")

    event = selectors.list_events_of("audit_tests_stall:all")[-1]
    assert (event.kind, event.body["rows"]) == ("row.truncate", 3)


def test_a_rolled_back_change_leaves_no_event(stalls):
    with pytest.raises(RuntimeError), transaction.atomic():
        Stall.objects.create(name="摊")
        raise RuntimeError

    assert kinds() == Counter()


def test_events_name_who_acts_and_why(stalls):
    with transaction.atomic(), services.acting(actor="officer:17", reason="核对“面积”\n第2次"):
        Stall.objects.create(name="摊")
        with services.acting(actor="job:sweep"):
            Stall.objects.update(area_m2=2)
        Stall.objects.update(area_m2=3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL getihu.actor = ''")
    Stall.objects.update(area_m2=4)

    told = [
        (e.actor, json.loads(bytes(e.record))["body"]["reason"])
        for e in Event.objects.order_by("id")
    ]
    assert told[:3] == [
        ("officer:17", "核对“面积”\n第2次"), ("job:sweep", ""), ("officer:17", "核对“面积”\n第2次"),
    ]  # fmt: skip
    assert told[3][0].startswith("db:")


def test_an_actor_smuggled_in_by_sql_cannot_forge_a_record(stalls):
    sql("SELECT set_config('getihu.actor', %s, true)", 'officer:17","kind":"case.closed')
    Stall.objects.create(name="摊")

    (event,) = Event.objects.all()
    assert event.actor.startswith("unknown:")
    assert json.loads(bytes(event.record))["kind"] == "row.insert"


def test_the_database_writes_records_byte_for_byte_as_the_program_does(stalls):
    reason = '换行\n回车\r引号"反斜\\制表\t删除\x7f逆向\u202e零宽\u200b生僻𫚖é终端\x1b[31m'
    with transaction.atomic(), services.acting(actor="officer:17", reason=reason):
        change_in_every_way()

    for event in Event.objects.all():
        record = bytes(event.record)
        assert canonical_json(json.loads(record)) == record
        assert json.loads(record)["body"]["reason"] == reason
    services.sequence(AT)
    assert selectors.check_log() == []


def test_columns_that_changed_are_named_and_versions_form_a_chain(stalls):
    stall = Stall.objects.create(name="摊")
    Stall.objects.update(name="摊2", area_m2=3)
    sql("SET LOCAL TimeZone = 'America/New_York'")
    Stall.objects.update(opened_at=AT)
    sql("SET LOCAL TimeZone = 'Asia/Shanghai'")
    Stall.objects.all().delete()

    bodies = [event.body for event in selectors.list_events_of(f"audit_tests_stall:{stall.pk}")]
    assert [body["columns"] for body in bodies[1:3]] == [["area_m2", "name"], ["opened_at"]]
    assert [body["old"] for body in bodies[1:]] == [body["new"] for body in bodies[:-1]]
    assert (bodies[0]["old"], bodies[-1]["new"]) == (None, None)


def test_a_change_made_while_the_trigger_was_off_breaks_the_chain(stalls):
    stall = Stall.objects.create(name="摊")
    sql("ALTER TABLE audit_tests_stall DISABLE TRIGGER getihu_audit_row")
    assert guards.missing_guards(connection) == ["audit_tests_stall.getihu_audit_row"]
    sql("UPDATE audit_tests_stall SET area_m2 = 99")
    sql("ALTER TABLE audit_tests_stall ENABLE ALWAYS TRIGGER getihu_audit_row")
    Stall.objects.update(name="摊2")

    first, second = selectors.list_events_of(f"audit_tests_stall:{stall.pk}")
    assert second.body["old"] != first.body["new"]


def test_digests_of_a_row_die_with_its_key(stalls):
    stall = Stall.objects.create(name="文彩华")
    reference = f"audit_tests_stall:{stall.pk}"
    (event,) = selectors.list_events_of(reference)
    key = bytes(SubjectKey.objects.get(subject=f"row:{reference}").key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(s)::text FROM audit_tests_stall s")
        text = cursor.fetchone()[0].encode()
    assert hashlib.sha256(key + text).hexdigest() == event.body["new"]
    assert hashlib.sha256(text).hexdigest() != event.body["new"]

    with transaction.atomic():
        services.destroy_subject_key(f"row:{reference}", actor="officer:9", at=AT)

    assert not SubjectKey.objects.filter(key__isnull=False).exists()


@pytest.mark.parametrize("seed", range(3))
def test_row_versions_and_events_agree_after_random_operations(stalls, seed):
    """A1 at small size: 120 operations in every way there is, one event per row version."""
    dice = random.Random(seed)
    expected = Counter()

    def count(kind: str, rows: int) -> None:
        expected.update({kind: rows} if rows else {})

    for step in range(40):
        below = dice.randrange(1, 60)
        match dice.randrange(6):
            case 0:
                rows = dice.randrange(1, 9)
                Stall.objects.bulk_create(
                    [Stall(name=f"{step}-{i}", area_m2=dice.randrange(60)) for i in range(rows)]
                )
                count("row.insert", rows)
            case 1:
                count(
                    "row.update", Stall.objects.filter(area_m2__lt=below).update(name=f"改{step}")
                )
            case 2:
                count("row.delete", Stall.objects.filter(area_m2=below).delete()[0])
            case 3:
                with connection.cursor() as cursor:
                    cursor.execute(
                        "UPDATE audit_tests_stall SET area_m2 = area_m2 + 1 WHERE area_m2 < %s",
                        [below],
                    )
                    count("row.update", cursor.rowcount)
            case 4:
                with connection.cursor() as cursor:
                    cursor.execute("DELETE FROM audit_tests_stall WHERE area_m2 > %s", [58])
                    count("row.delete", cursor.rowcount)
            case 5:
                Stall.objects.create(name="一个")
                count("row.insert", 1)

    assert kinds() == expected


def test_on_sqlite_the_step_changes_nothing(data_dir):
    if connection.vendor == "postgresql":
        pytest.skip("SQLite only")
    make_table()
    apply(audit_table("audit_tests_stall"))
    Stall.objects.create(name="摊")
    apply(audit_table("audit_tests_stall"), backwards=True)

    assert kinds() == Counter()


def test_a_copy_of_the_log_table_in_front_of_it_catches_no_event(stalls):
    sql("CREATE TEMP TABLE audit_event (LIKE audit_event INCLUDING ALL)")
    Stall.objects.create(name="摊")
    sql("DROP TABLE pg_temp.audit_event")

    assert kinds() == {"row.insert": 1}


def test_the_log_itself_can_be_attacked_only_without_its_guards(stalls):
    Stall.objects.create(name="摊")
    with full_database_rights():
        sql("DELETE FROM audit_event")

    assert kinds() == Counter()

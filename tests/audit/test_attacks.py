"""A2: whoever has every right over the database, the files and the key is found out all the same.

What finds them: the log's own check, the public verifier with a witness file kept elsewhere, and
the receipts people hold.
"""

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction

from getihu.audit import selectors, services
from getihu.audit.contracts import Receipt
from getihu.kernel.errors import GetihuError
from tests.audit import attacks
from tests.audit.conftest import AT, record, verify

pytestmark = pytest.mark.django_db


class City:
    """A log of 40 entries and one waiting, a witness elsewhere, the receipts of people."""

    def __init__(self, log: Path, elsewhere: Path) -> None:
        self.log, self.backup, self.kept = log, elsewhere / "backup", elsewhere / "kept"
        self.witness, self.keys = elsewhere / "witness", elsewhere / "keys"
        self.receipts: list[Receipt] = []
        for before, after in zip(attacks.SIZES, attacks.SIZES[1:], strict=False):
            self.receipts += record(after - before, first=before)
            services.sequence(AT)
            if after == 25:
                shutil.copytree(log, self.backup)
        shutil.copy(log / "keys", self.keys)
        assert verify("log", log, "--keys", self.keys, "--witness", self.witness) == 0
        self.receipts += record(1, first=40)
        shutil.copytree(log, self.kept)

    def found_inside(self) -> bool:
        return bool(selectors.check_log())

    def found_outside(self, *, with_witness: bool = True) -> bool:
        memory = shutil.copy(self.witness, self.witness.with_name("used"))
        more = ["--witness", memory] if with_witness else []
        return verify("log", self.log, "--keys", self.keys, *more) != 0

    def found_by_receipts(self) -> bool:
        try:
            services.sequence(AT)
            for receipt in self.receipts:
                selectors.inclusion_proof(receipt)
        except GetihuError:
            return True
        return False

    def found(self) -> bool:
        return self.found_outside() or self.found_inside() or self.found_by_receipts()

    def attack(self, dice: random.Random, chosen=None) -> str:
        return (chosen or dice.choice(attacks.ATTACKS))(dice, self.log, self.backup)

    def undo(self, point: str) -> None:
        transaction.savepoint_rollback(point)
        shutil.rmtree(self.log)
        shutil.copytree(self.kept, self.log)


@pytest.fixture
def city(log, tmp_path_factory):
    return City(log, tmp_path_factory.mktemp("elsewhere"))


def attack_many(city: City, count: int, seed: int) -> tuple[Counter, list[str]]:
    dice = random.Random(seed)
    made, missed = Counter(), []
    for _ in range(count):
        point = transaction.savepoint()
        name = city.attack(dice)
        made[name.split(":")[0]] += 1
        if not city.found():
            missed.append(name)
        city.undo(point)
    return made, missed


def test_nobody_is_accused_without_an_attack(city):
    assert not city.found()


def test_random_attacks_with_full_rights_are_found(city):
    made, missed = attack_many(city, 40, seed=1)

    assert missed == []
    assert len(made) >= 6


@pytest.mark.scale
def test_ten_thousand_random_attacks_with_full_rights_are_found(city):
    made, missed = attack_many(city, int(os.environ.get("ATTACKS", "10000")), seed=2)

    print(dict(made))
    assert missed == []


@pytest.mark.parametrize("change", attacks.CHANGES, ids=lambda change: change.__name__)
def test_a_history_rewritten_everywhere_is_found_by_the_witness_alone(city, change):
    with attacks.full_database_rights():
        change(random.Random(3))
        attacks.cover(city.log)

    assert city.found_outside()
    # Control: without a memory elsewhere the rewritten log looks whole.
    assert not city.found_outside(with_witness=False)
    assert not city.found_inside()


@pytest.mark.parametrize("change", attacks.SEEN_INSIDE, ids=lambda change: change.__name__)
def test_rows_changed_behind_the_files_are_found_by_the_check(city, change):
    with attacks.full_database_rights():
        change(random.Random(4))

    assert city.found_inside()


def test_an_old_backup_continued_is_found_by_the_witness(city):
    attacks.old_backup_continued(random.Random(5), city.log, city.backup)

    assert city.found_outside()
    assert not city.found_outside(with_witness=False)


def test_two_logs_of_one_size_are_told_apart(city, capsys):
    with attacks.full_database_rights():
        attacks.swap_two(random.Random(6))
        attacks.cover(city.log)

    assert city.found_outside()
    assert "历史被改过，或有两份日志" in capsys.readouterr().out


def test_an_event_taken_away_before_the_log_had_it_is_found_by_its_receipt(city):
    attacks.waiting_event_deleted(random.Random(7), city.log, city.backup)

    assert not city.found_outside()
    assert city.found_by_receipts()


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_in_any_file_of_the_tree_is_found_by_the_public(city, seed):
    dice = random.Random(seed)
    attacks.flip(dice.choice([p for p in attacks.tile_files(city.log) if p.name == "40"]), dice)

    assert city.found_outside(with_witness=False)


def test_a_flipped_bit_in_a_tile_of_an_earlier_checkpoint_is_found_by_the_check(city):
    attacks.flip(city.log / "tile" / "0" / "000.p" / "10", random.Random(1))

    assert city.found_inside()

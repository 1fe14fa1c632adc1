"""A licence checked with no network, from what was saved: one of four honest answers."""

from datetime import timedelta

import pytest

from getihu.passport.credentials.answers import Answer
from getihu.passport.credentials.status import Status, build_list
from tests.passport.test_credentials import (
    AT,
    ISSUER,
    LICENCE,
    OFFLINE,
    OTHER,
    SIGNER,
    URI,
    issued,
)
from tools.verify_licence import main, verify

METADATA = {"issuer": ISSUER, "jwks": {"keys": [SIGNER.public_jwk() | {"kid": "k1"}]}}


def saved(status=None, at=AT, uri=URI):
    return build_list({} if status is None else {7: status}, uri=uri, signer=SIGNER, at=at)


@pytest.mark.parametrize(
    ("text", "told", "minutes", "answer"),
    [
        (LICENCE, saved(), 0, Answer.VALID),
        (LICENCE, saved(), 5, Answer.WAS_VALID),
        (LICENCE, None, 0, Answer.UNKNOWN),
        (LICENCE, saved(), 60 * 25, Answer.UNKNOWN),
        (LICENCE, saved(uri=f"{ISSUER}/passport/status/1.jwt"), 0, Answer.UNKNOWN),
        (LICENCE, saved(Status.SUSPENDED), 5, Answer.NOT_VALID),
        (LICENCE, saved(Status.REVOKED), 5, Answer.NOT_VALID),
        (issued(OTHER), saved(), 0, Answer.NOT_VALID),
        (issued(valid_until="2020-01-01"), saved(), 0, Answer.NOT_VALID),
        (OFFLINE, None, 0, Answer.VALID),
        (OFFLINE, None, 30, Answer.WAS_VALID),
        (OFFLINE, None, 60 * 25, Answer.UNKNOWN),
        (OFFLINE[:-9] + "000000000", None, 0, Answer.NOT_VALID),
    ],
)
def test_the_answer_is_what_is_known(text, told, minutes, answer):
    assert verify(text, METADATA, told, at=AT + timedelta(minutes=minutes)).answer is answer


def test_the_command_says_it_and_its_code_tells_programs(tmp_path, capsys):
    import json

    (tmp_path / "licence").write_text(LICENCE)
    (tmp_path / "keys").write_text(json.dumps(METADATA))
    told = ["--keys", str(tmp_path / "keys")]
    assert main([str(tmp_path / "licence"), *told]) == 4
    assert "现在的状态不知道" in capsys.readouterr().out

"""Check a licence with no network: what was saved before of keys and statuses, and the text itself.

    python -m tools.verify_licence licence.txt --keys jwt-vc-issuer.json --list 0.jwt

The text is a certificate (SD-JWT VC) or an offline code. ``--keys`` is the saved
``/.well-known/jwt-vc-issuer``; ``--list`` the saved status list the certificate names, if there is
one. Says one of four things: valid now, was valid at a moment, status unknown, not valid; the exit
code is 0, 3, 4, 1.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from getihu.passport.credentials import offline, sd_jwt
from getihu.passport.credentials.answers import Answer, Judgement, judge
from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.credentials.status import Status, read_list, status_at

EXIT = {Answer.VALID: 0, Answer.NOT_VALID: 1, Answer.WAS_VALID: 3, Answer.UNKNOWN: 4}


def verify(text: str, issuer: dict[str, object], told: str | None, *, at: datetime) -> Judgement:
    """What may be said at a moment. ``issuer``: the saved metadata; ``told``: the saved list, None
    where there is none."""
    name = str(issuer["issuer"])
    published = issuer["jwks"]["keys"]  # type: ignore[index]
    keys = {key["kid"]: key for key in published if key.get("crv") == "P-256"}
    plain = text.strip()
    try:
        if plain.startswith(offline.PREFIX):
            code = offline.read(plain, keys=keys, issuer=name, at=None)
            return judge(Status.VALID, code.made_at, at)
        read = sd_jwt.check(plain, keys=keys, issuer=name, at=at)
    except BadCredential as error:
        return Judgement(Answer.NOT_VALID, None, str(error))
    until = str(read.data.get("valid_until", ""))
    if until and until < at.date().isoformat():
        return Judgement(Answer.NOT_VALID, at, "过了有效期。")
    if told is None:
        return judge(None, None, at)
    try:
        bits, told_at = read_list(told.strip(), keys=keys, uri=read.status_uri, at=at)
    except BadCredential as error:
        return Judgement(Answer.UNKNOWN, None, str(error))
    return judge(status_at(bits, read.status_index), told_at, at)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="没有网络时验证证照")
    parser.add_argument("text", type=Path, help="证照或者离线码的文字，存成文件")
    parser.add_argument("--keys", type=Path, required=True, help="先前存下的 jwt-vc-issuer")
    parser.add_argument("--list", type=Path, help="先前存下的状态名单")
    given = parser.parse_args(arguments)
    told = given.list.read_text("ascii") if given.list else None
    issuer = json.loads(given.keys.read_text("utf-8"))
    found = verify(given.text.read_text("utf-8"), issuer, told, at=datetime.now(UTC))
    moment = f"（{found.as_of.astimezone():%Y-%m-%d %H:%M}）" if found.as_of else ""
    print(f"{found.label}{moment}：{found.why}")
    return EXIT[found.answer]


if __name__ == "__main__":
    sys.exit(main())

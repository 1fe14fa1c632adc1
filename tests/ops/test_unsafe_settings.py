"""The service does not start on settings that are dangerous once others can reach it."""

import pytest

from getihu.config.checks import check_settings_are_safe

SAFE = {
    "ALLOWED_HOSTS": ["city.example"],
    "DEBUG": False,
    "SECRET_KEY": "k" * 50,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}
PROVINCE = {
    "url": "https://province.example/gateway",
    "sign_in": "https://province.example/sign-in",
    "key": "k",
    "secret": "s",
    "name": "x",
}


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS"),
        ({"DEBUG": True}, "DEBUG"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SESSION_COOKIE_SECURE": False}, "HTTPS"),
        ({"CSRF_COOKIE_SECURE": False}, "HTTPS"),
        ({"PROVINCE": {**PROVINCE, "url": "http://province.example"}}, "https"),
        ({"PROVINCE": {**PROVINCE, "secret": ""}}, "SECRET"),
        ({"PROVINCE": {**PROVINCE, "sign_in": "", "url": "https://x"}}, "SIGN_IN"),
    ],
    ids=[
        "any host",
        "debug",
        "short key",
        "session in clear",
        "form key in clear",
        "tickets in clear",
        "no key to sign with",
        "nowhere to sign in",
    ],
)
def test_refuses_what_is_unsafe_before_others(settings, changed, word):
    for name, value in (SAFE | changed).items():
        setattr(settings, name, value)

    told = [str(error.msg) for error in check_settings_are_safe()]
    assert told
    assert any(word in text for text in told)


def test_control_safe_settings_and_this_machine_alone_start(settings):
    for name, value in SAFE.items():
        setattr(settings, name, value)
    settings.PROVINCE = PROVINCE
    assert check_settings_are_safe() == []
    settings.ALLOWED_HOSTS, settings.DEBUG, settings.SECRET_KEY = ["localhost"], True, "short"
    assert check_settings_are_safe() == []


def test_more_witnesses_wanted_than_there_are_is_refused(settings):
    settings.AUDIT_WITNESSES, settings.AUDIT_WITNESS_QUORUM = [], 2
    assert any("WITNESS_QUORUM" in error.msg for error in check_settings_are_safe())

"""Signatures are those that libraries of Standard Webhooks make, and a secret that cannot sign stops the start."""

import base64

import pytest

from bot.outbound.signature import signature, signing_keys
from memalign.errors import SettingsError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LONG = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_a_signature_is_that_of_the_libraries_own_tests() -> None:
    # standard-webhooks/standard-webhooks, libraries/*/…test: the same vector in each language
    body = b'{"test": 2432232314}'
    signed = signature(signing_keys("S", SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_both_while_receivers_change_over() -> None:
    both = signature(signing_keys("S", f"{SECRET} {LONG}"), "evt_1", 1, b"{}")
    alone = [signature(signing_keys("S", each), "evt_1", 1, b"{}") for each in (SECRET, LONG)]
    assert both.split(" ") == alone


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("a secret of this many characters".replace(" ", "-"), (b"a-secret-of-this-many-characters",)),
        (LONG.rstrip("="), (bytes(range(32)),)),
        (f"  {SECRET}\n", (base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)),
    ],
    ids=["plain", "without padding", "with space around"],
)
def test_a_secret_is_taken_plain_or_as_base64(value: str, keys: tuple[bytes, ...]) -> None:
    assert signing_keys("S", value) == keys


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "EVENTS_SECRET is missing"),
        ("  ", "EVENTS_SECRET is missing"),
        ("whsec_", "EVENTS_SECRET is shorter than 24 bytes"),
        ("hunter2", "EVENTS_SECRET is shorter than 24 bytes"),
        ("whsec_not*base64*at*all*of*any*length", "EVENTS_SECRET is not base64 after whsec_"),
        (f"{SECRET} hunter2", "EVENTS_SECRET is shorter than 24 bytes"),
    ],
)
def test_a_secret_that_cannot_sign_is_told_without_being_shown(value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        signing_keys("EVENTS_SECRET", value)
    assert "hunter2" not in str(caught.value)
    assert "not*base64" not in str(caught.value)

"""Slack's signature: over raw bytes, at the time, and of nothing else."""

import pytest

from bot.runtime.health import HealthRegistry
from bot.slack.signature import SignatureCheck, check_signature
from bot.slack.signature_health import SignatureHealth
from tests.bot.slack.signed_requests import signature_headers

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_800_000_000.0
BODY = b'{"type": "event_callback"}'


def check(body: bytes, timestamp: str, *, secret: str = SECRET, now: float = NOW) -> SignatureCheck:
    headers = signature_headers(body, SECRET, timestamp)
    return check_signature(secret, timestamp, headers["X-Slack-Signature"], body, now)


@pytest.mark.parametrize("body", [BODY, b"", b"\xff\xfe\x00 no text", b"a=b&payload=%7B%7D"])
def test_a_signature_over_raw_bytes_is_valid_for_five_minutes(body: bytes) -> None:
    assert check(body, str(int(NOW))) == "valid"
    assert check(body, str(int(NOW) - 300)) == "valid"
    assert check(body, str(int(NOW) - 301)) == "wrong clock"
    assert check(body, str(int(NOW) + 301)) == "wrong clock"


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        " ",
        "1800000000.5",
        "1" * 400,
        "-1800000000",
        "+1800000000",
        "1e9",
        "٣٤٥",
        "18000 00000",
        "nan",
        "0x10",
    ],
)
def test_an_odd_timestamp_is_no_signature_of_slacks(timestamp: str) -> None:
    assert check(BODY, timestamp) == "unsigned"


@pytest.mark.parametrize(
    "signature", ["", "v0=", "v0=é" + "0" * 63, "v0=" + "G" * 64, "v1=" + "0" * 64, "\udcff"]
)
def test_an_odd_signature_is_none(signature: str) -> None:
    assert check_signature(SECRET, str(int(NOW)), signature, BODY, NOW) == "unsigned"


def test_another_secret_and_another_body_are_told_from_a_wrong_clock() -> None:
    assert check(BODY, str(int(NOW)), secret="another") == "wrong secret"
    assert check(BODY, str(int(NOW) - 900), secret="another") == "wrong secret"
    signature = signature_headers(BODY, SECRET, str(int(NOW)))["X-Slack-Signature"]
    assert check_signature(SECRET, str(int(NOW)), signature, BODY + b" ", NOW) == "wrong secret"


def test_a_wrong_secret_is_a_problem_until_a_valid_request_comes(caplog: pytest.LogCaptureFixture) -> None:
    health = HealthRegistry()
    reports = SignatureHealth(health)
    for _ in range(50):
        reports.report("wrong secret")
    (problem,) = health.problems()
    assert "SLACK_SIGNING_SECRET" in problem.reason
    assert len(caplog.records) == 1
    reports.report("wrong clock")
    (problem,) = health.problems()
    assert "clock" in problem.reason
    reports.report("unsigned")
    assert len(health.problems()) == 1
    reports.report("valid")
    assert health.problems() == ()

"""The signature of Slack's HTTP requests (docs.slack.dev, "Verifying requests from Slack"). Pure."""

import hashlib
import hmac
import re
from typing import Literal

MAX_AGE_SECONDS = 300
"""Slack's own limit for the age of a request, in either direction."""
TIMESTAMP = re.compile(r"[0-9]{1,12}")
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

SignatureCheck = Literal["valid", "unsigned", "wrong secret", "wrong clock"]


def check_signature(
    secret: str, timestamp: str, signature: str, body: bytes, now_seconds: float
) -> SignatureCheck:
    """Check the signature over the raw bytes of a body, in constant time.

    Args:
        secret: SLACK_SIGNING_SECRET.
        timestamp: the header `X-Slack-Request-Timestamp`; empty if it is missing.
        signature: the header `X-Slack-Signature`; empty if it is missing.
        body: the body as it was sent.
        now_seconds: the time by Slack's clock as far as it is known, in seconds since 1970.

    Returns:
        "unsigned" if a header is missing or does not look like Slack's; "wrong clock" if Slack signed it, but at
        another time: somebody sends an old request again, or the time is not known.
    """
    if not (TIMESTAMP.fullmatch(timestamp) and SIGNATURE.fullmatch(signature)):
        return "unsigned"
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={digest}".encode("ascii"), signature.encode("ascii")):
        return "wrong secret"
    return "valid" if abs(now_seconds - int(timestamp)) <= MAX_AGE_SECONDS else "wrong clock"

"""Signatures of webhooks: HMAC-SHA256 of id, time and body, by Standard Webhooks 1.0 (standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from memalign.errors import SettingsError

SECRET_PREFIX = "whsec_"  # noqa: S105 - begins secrets, and is none
"""Begins a secret whose bytes are written in base64."""
MIN_SECRET_BYTES = 24
"""192 bits, the least that Standard Webhooks asks for."""


def signing_keys(variable: str, value: str) -> tuple[bytes, ...]:
    """Read the secrets of an environment variable.

    Args:
        variable: its name, for the error.
        value: its value: a secret, or two with a space between them while receivers change over. One that begins with
            `whsec_` is base64; the bytes of any other are its own.

    Returns:
        The keys, each of which signs.

    Raises:
        SettingsError: if there is none, or one is too short or no base64. The secret is not shown.
    """
    keys = tuple(_key(variable, secret) for secret in value.split())
    if not keys:
        raise SettingsError(
            f"{variable} is missing; a webhook needs it to sign what it sends. "
            "Set it in the environment or in the file .env."
        )
    return keys


def signature(keys: Sequence[bytes], event_id: str, seconds: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature by each key.

    Args:
        keys: as `signing_keys` returns them.
        event_id: the header `webhook-id`.
        seconds: the header `webhook-timestamp`, in seconds since 1970.
        body: the bytes that are sent.
    """
    content = f"{event_id}.{seconds}.".encode() + body
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in digests)


def _key(variable: str, secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        encoded = secret.removeprefix(SECRET_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise SettingsError(f"{variable} is not base64 after {SECRET_PREFIX}; copy it again.") from None
    else:
        key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"{variable} is shorter than {MIN_SECRET_BYTES} bytes; make another one, "
            f'such as "{SECRET_PREFIX}" and what `openssl rand -base64 32` prints.'
        )
    return key

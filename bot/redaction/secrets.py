"""Keys, tokens and passwords, by the form their issuers give them or by the word before them."""

import math
import re
from collections import Counter
from functools import lru_cache
from typing import Literal

from bot.redaction.markers import KEY

# every repetition is possessive or bounded, so the time is linear in the text
ISSUED = re.compile(
    r"(?<![\w-])(?:"
    r"sk-[\w-]{12,300}+|[srp]k_(?:live|test)_\w{10,300}+"  # OpenAI, Anthropic, Stripe
    r"|xox[abceoprs]-[\w-]{8,300}+|xapp-[\w-]{8,300}+"  # Slack
    r"|gh[opsur]_[A-Za-z0-9]{20,300}+|github_pat_\w{20,300}+|glpat-[\w-]{16,300}+"  # GitHub, GitLab
    r"|A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?!\w)|AIza[\w-]{30,60}+|ya29\.[\w-]{20,300}+"  # AWS, Google
    r"|npm_[A-Za-z0-9]{30,60}+|pypi-[\w-]{30,300}+|hf_[A-Za-z0-9]{20,60}+"
    r"|SG\.[\w-]{16,40}+\.[\w-]{16,80}+|whsec_[\w+/=]{16,100}+|shp(?:at|ca|pa|ss)_\w{20,60}+|dop_v1_\w{40,80}+"
    r"|eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+){0,3}"  # JSON web tokens
    r")"
)
SLACK_WEBHOOK = re.compile(r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/]{16,200}+")
URL_CREDENTIALS = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}://)[^\s/@:\[\]]{0,64}:[^\s/@]{1,256}@"
)
AUTHORIZATION = re.compile(r"(?i)(?<!\w)(?P<before>(?:bearer|basic)[ \t]{1,4})(?P<value>[\w.~+/=-]{12,}+)")
PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
PRIVATE_KEY_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
BASE64_LINES = re.compile(r"\s?(?:[A-Za-z0-9+/=\\]{1,200}+(?:\r?\n)?)*+")
MAX_PRIVATE_KEY = 20_000
"""Characters; an RSA key of 16,384 bits has some 13,000."""

LOGIN_WORDS = r"pass(?:word|wort|wd|phrase)|passcode|kennwort|pwd"
KEY_WORDS = (
    r"secret|token|(?:api|access|auth|account|private|signing|encryption|zugriffs)[ _-]?(?:key|schl[uü]ssel)"
)
SECRET_WORD_PARTS = ("pass", "kennwort", "pwd", "secret", "token", "key", "schl")
"""One of these is in each of the words above: a text without them is searched no further."""
DIGIT = re.compile(r"\d")
SECRET_NAME = re.compile(
    rf"(?i)(?:[a-z0-9]{{1,20}}[ _.-])*?[a-z]{{0,12}}?(?:(?P<password>{LOGIN_WORDS})|(?:{KEY_WORDS}))"
    r"(?:[_-](?:value|key|id))?"
)
ASSIGNMENT = re.compile(
    rf"(?i)(?P<before>(?:(?P<password>{LOGIN_WORDS})|(?:{KEY_WORDS}))(?:_key|_value)?"
    r"(?P<mark>\\?[\"'`*_]{0,2}[ \t]{0,2}(?:=>|:=|==?|:)[ \t]{0,2}|[ \t]{1,2}(?:is|ist|lautet|war|was):?[ \t]{1,2})"
    r"(?P<quote>\\?[\"'`*]{0,2}))(?P<value>[^\s\"'`,;<>\\(){}\[\]|]{4,300}+)(?P<after>[(\[]?)"
)
VARIABLE = re.compile(r"[$%]\w+%?|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|\*+|\.+|[A-Z]+(?:_[A-Z0-9]+)+")
"""A name in code that stands for a value; or a value that is covered already."""
MIN_TOKEN_LENGTH = 16
MIN_TOKEN_ENTROPY = 3.0
"""Bits a character, by Shannon's formula over the value's own letters; English words have about 2.5 at this length."""


def redact_secrets(text: str) -> str:
    """Return the text with `[key]` for each key, token and password."""
    text = redact_private_keys(text)
    text = URL_CREDENTIALS.sub(rf"\1{KEY}@", text) if "://" in text else text
    text = SLACK_WEBHOOK.sub(KEY, text) if "hooks.slack.com/" in text else text
    if DIGIT.search(text):  # each of them is taken for a key only with a digit in it
        text = ISSUED.sub(lambda match: KEY if has_digit(match[0]) else match[0], text)
    lower = text.lower()
    if "bearer" in lower or "basic" in lower:
        text = AUTHORIZATION.sub(_without_authorization, text)
    return ASSIGNMENT.sub(_without_value, text) if any(part in lower for part in SECRET_WORD_PARTS) else text


def redact_named_value(name: str, value: str) -> str:
    """Return `[key]` for the value of a field whose name says that it is a password or token; else the value."""
    kind = _kind_of_secret(name)
    if kind is None or VARIABLE.fullmatch(value) or not value.isprintable() or " " in value:
        return value
    return KEY if is_secret(value, is_password=kind == "password") else value


# fields have the same names over and over
@lru_cache(maxsize=4096)
def _kind_of_secret(name: str) -> Literal["password", "token"] | None:
    match = SECRET_NAME.fullmatch(name)
    return match and ("password" if match["password"] else "token")


def redact_private_keys(text: str) -> str:
    """Return the text with `[key]` for each private key in PEM form, also one that was cut off."""
    pieces, end = [], 0
    while begin := PRIVATE_KEY.search(text, end):
        last = PRIVATE_KEY_END.search(text, begin.end(), begin.end() + MAX_PRIVATE_KEY)
        pieces += [text[end : begin.start()], KEY]
        end = last.end() if last else _end_of_base64(text, begin.end())
    return "".join((*pieces, text[end:]))


def is_secret(value: str, *, is_password: bool) -> bool:
    """Return whether a value that is called a password or a token looks like one, and not like a word of prose."""
    if is_password:
        return (
            has_digit(value) or any(sign in "!@#$%^&*?+~" for sign in value[1:-1]) or value[-1] in "!$#@%&*"
        )
    has_letter = any(sign.isalpha() for sign in value)
    return (
        len(value) >= MIN_TOKEN_LENGTH
        and has_digit(value)
        and has_letter
        and entropy(value) >= MIN_TOKEN_ENTROPY
    )


def entropy(value: str) -> float:
    """Return Shannon's entropy of a text's own characters, in bits a character."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)


def has_digit(value: str) -> bool:
    """Return whether a text holds a digit."""
    return any(sign.isdigit() for sign in value)


def _without_authorization(match: re.Match[str]) -> str:
    value = match["value"]
    return match["before"] + KEY if has_digit(value) or value.endswith("=") else match[0]


def _without_value(match: re.Match[str]) -> str:
    value = match["value"].rstrip(".:!?") if match["mark"].strip(" \t:")[:1].isalpha() else match["value"]
    value = value.rstrip("*_") or value
    if match["after"] or VARIABLE.fullmatch(value) or value.startswith(("$", "%(", "http://", "https://")):
        return match[0]
    if not is_secret(value, is_password=bool(match["password"])):
        return match[0]
    return match["before"] + KEY + match["value"][len(value) :]


def _end_of_base64(text: str, start: int) -> int:
    body = BASE64_LINES.match(text, start)
    return body.end() if body else start

"""Binary data inside texts: data URLs, base64, hexadecimal dumps, references to attachments.

Ordinary words, addresses, tokens and ids stay as they are: a run of letters counts as data only if it is long and
either begins as a known file format does, or changes between upper case, lower case and digits as base64 does.
"""

import re
import string
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs, unquote_to_bytes

from memalign.media_types import head_of_base64, placeholder, type_of_bytes

MIN_ENCODED_CHARACTERS = 256
"""Shorter runs stay: keys, signatures and ids are shorter as a rule. Set by hand."""
MIN_DECLARED_CHARACTERS = 16
"""Shorter texts stay even where they are declared to be data."""
_MIN_UNSURE_CHARACTERS = 64
"""Least length of declared data that could be a word."""
_MIN_HEX_CHARACTERS = 512
"""Four times the longest usual digest, SHA-512."""
_MIN_CLASS_SHARE = 0.03
"""Least share of upper case, lower case and digits each. In base64 of text digits are rarest, about 8 %."""
_MIN_CHANGES = 0.43
"""Least share of neighbours of different class. Random base64 has 0.65, base64 of English 0.58, of capitals 0.44,
words in camel case 0.41 and less; measured on samples."""
_MAX_SIGNS_SHARE = 0.08
"""Greatest share of signs. Random base64 has 3 %; paths and names joined by signs have more, and no plus."""
_SAMPLE_CHARACTERS = 4_000
"""Of a long run these are looked at, in three places."""

_B64 = r"[A-Za-z0-9+/_\\-]"
_LINES = rf"(?:\r?\n[ \t]*{_B64}{{40,}})*(?:\r?\n[ \t]*{_B64}{{20,}}|\r?\n[ \t]*{_B64}+=)?={{0,2}}"
_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;(?!base64,)[\w.+-]+(?:=[^;,\s\"']*)?)*"
    rf"(?:;base64,(?P<base64>[A-Za-z0-9+/_\\%-]*+{_LINES})|,(?P<plain>[^\s\"'<>)\\]+))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"mlflow-attachment://[^\s\"'\\<>?]+\?(?P<query>[^\s\"'\\<>]+)|@@@langfuseMedia:(?P<parts>[^@\s]*)@@@"
)
_RUN = re.compile(rf"(?<![\w./+:%&?=~@\\-]){_B64}{{57,}}+{_LINES}(?![.%?&~@:]\w)")
_HEX = re.compile(rf"(?<![\w/.=&?%-])(?:0x)?[0-9a-fA-F]{{{_MIN_HEX_CHARACTERS},}}+(?!\w)")
_HEX_DUMP = re.compile(
    r"(?:^[ \t]*[0-9a-fA-F]{4,8}:?[ \t]+(?:[0-9a-fA-F]{2}[0-9a-fA-F]{0,2}[ \t]{1,2}){8,}[^\n]*\n?){8,}",
    re.MULTILINE,
)
_ESCAPED_BYTES = re.compile(r"(?:\\+x[0-9a-fA-F]{2}[^\\]{0,8}){64,}")
_BYTES_LITERAL = re.compile(
    rf"\bb(?P<mark>['\"])(?:(?!(?P=mark))[^\\\n]|\\.){{{MIN_ENCODED_CHARACTERS},}}+(?P=mark)"
)
"""Bytes as Python writes them."""
_MIN_ESCAPES_SHARE = 0.05
"""Least share of `\\x00` and the like among the characters of such bytes. Of random ones it is 0.2, of a text 0."""
_ESCAPE = re.compile(r"\\+[rn]|\\+|\s+")


def replace_encoded(text: str) -> str:
    """Put placeholders for binary data in a text.

    Args:
        text: Any text, also JSON in a text.

    Returns:
        The text; as it is where it holds none.
    """
    if "data:" in text or "DATA:" in text:
        text = _DATA_URL.sub(_data_url, text)
    if "mlflow-attachment:" in text or "langfuseMedia:" in text:
        text = _REFERENCE.sub(_reference, text)
    if len(text) < MIN_ENCODED_CHARACTERS:
        return text
    for sign, pattern, replacement in _REPLACEMENTS:
        if sign in text:
            text = pattern.sub(replacement, text)
    return text


def is_base64(text: str, *, sure: bool) -> bool:
    """Tell whether a text is nothing but base64.

    Args:
        text: The text.
        sure: True where it can hardly be anything else, as a picture's `data`; else it must not look like a word.

    Returns:
        True for base64.
    """
    if len(text) < MIN_DECLARED_CHARACTERS or text.strip("=").translate(_BASE64):
        return False
    is_mixed = all(any(map(test, text[:200])) for test in _CLASS_TESTS)
    return sure or (is_mixed and len(text) >= _MIN_UNSURE_CHARACTERS)


_BASE64 = dict.fromkeys(map(ord, string.ascii_letters + string.digits + "+/_-\r\n\\"))
_CLASS_TESTS = (str.isupper, str.islower, str.isdigit)


def base64_placeholder(text: str, mime_type: str = "", name: str = "", *, declared: bool = True) -> str:
    """Write the words that stand for a text in base64.

    Args:
        text: The base64, line ends and escapes included.
        mime_type: The declared type; where it is only a kind or, as by default, empty, the first bytes say more.
        name: The file's name; left out by default.
        declared: True where it is known to be media.

    Returns:
        The placeholder.
    """
    plain = _ESCAPE.sub("", text).rstrip("=")
    recognised = "" if "/" in mime_type else type_of_bytes(head_of_base64(plain), declared=declared)
    return placeholder(recognised or mime_type, len(plain) * 3 // 4, name)


def _data_url(match: re.Match[str]) -> str:
    if match["base64"] is not None:
        return base64_placeholder(match["base64"], match["type"] or "")
    return placeholder(match["type"] or "text/plain", len(unquote_to_bytes(match["plain"])))


def _reference(match: re.Match[str]) -> str:
    if match["query"] is not None:
        query = parse_qs(match["query"])
        size = query.get("size", [""])[0]
        return placeholder(query.get("content_type", [""])[0], int(size) if size.isdecimal() else None)
    parts = dict(part.partition("=")[::2] for part in match["parts"].split("|"))
    return placeholder(parts.get("type", ""), None)


def _bytes_literal(match: re.Match[str]) -> str:
    escapes = match[0].count("\\x")
    if escapes < len(match[0]) * _MIN_ESCAPES_SHARE:
        return match[0]
    return placeholder("", len(match[0]) - 3 - 3 * escapes)


def _hex(match: re.Match[str]) -> str:
    digits = match[0].removeprefix("0x")
    letters = sum(map(digits.lower().count, "abcdef"))
    if (
        not len(digits) / 10 < letters < len(digits) * 0.9
    ):  # a long number, or the same letter again and again
        return match[0]
    return placeholder(type_of_bytes(bytes.fromhex(digits[:32])), len(digits) // 2)


def _run(match: re.Match[str]) -> str:
    text = match[0]
    plain = _ESCAPE.sub("", text)
    if len(plain) < MIN_ENCODED_CHARACTERS:
        return text
    known = type_of_bytes(head_of_base64(plain))
    return base64_placeholder(text, known, declared=False) if known or _looks_random(plain) else text


def _looks_random(text: str) -> bool:
    part = _SAMPLE_CHARACTERS // 3
    middle = len(text) // 2
    sample = text if len(text) <= _SAMPLE_CHARACTERS else text[:part] + text[middle:][:part] + text[-part:]
    classes = [_class(character) for character in sample]
    shares = [classes.count(each) / len(classes) for each in "uld"]
    changes = sum(first != second for first, second in pairwise(classes)) / len(classes)
    is_joined = classes.count("-") / len(classes) > _MAX_SIGNS_SHARE and "+" not in sample
    mixes_alphabets = bool(set(sample) & set("+/")) and bool(set(sample) & set("-_"))
    is_shuffled = min(shares) >= _MIN_CLASS_SHARE and changes >= _MIN_CHANGES
    return is_shuffled and not is_joined and not mixes_alphabets


_REPLACEMENTS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("\\x", _BYTES_LITERAL, _bytes_literal),
    ("", _HEX, _hex),
    ("", _RUN, _run),
    ("\n", _HEX_DUMP, lambda match: placeholder("", match[0].count("\n") * 16) + "\n"),
    ("\\x", _ESCAPED_BYTES, lambda match: placeholder("", len(match[0]) // 4)),
)
"""Forms of data, each with a sign that stands in all of that form: to look for it is quick."""


def _class(character: str) -> str:
    if character.isdigit():
        return "d"
    return "u" if character.isupper() else "l" if character.islower() else "-"

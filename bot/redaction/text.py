"""Redaction of one text: all detectors, one after the other, until nothing more is found."""

import re
from collections.abc import Callable, Iterator, Sequence

from bot.redaction.clean_texts import CleanTexts, digest_of
from bot.redaction.email_addresses import redact_email_addresses
from bot.redaction.payment_numbers import redact_card_numbers, redact_ibans
from bot.redaction.phone_numbers import announces_phone_number, redact_phone_numbers
from bot.redaction.secrets import redact_named_value, redact_private_keys, redact_secrets

Detector = Callable[[str], str]
"""Returns a text with markers in the place of what it finds; takes time linear in the text."""

DETECTORS: tuple[Detector, ...] = (
    redact_secrets,
    redact_email_addresses,
    redact_ibans,
    redact_card_numbers,
    redact_phone_numbers,
)
STRETCH_LENGTH = 32_000
"""Characters that are searched at once: a search holds up all other threads until it ends."""
CUTS = (
    re.compile(r"\n"),
    re.compile(r"(?<=[^\W\d_])[.!?]\s(?=[^\W\d_])"),
    re.compile(r"(?<=[^\W\d_])\s(?=[^\W\d_])"),
    re.compile(r"(?<=[^\W\d_])[,;>}](?=[^\W\d_<{])"),
)
"""Places to cut a long text, the best first: between lines, sentences, words, and parts of minified code."""
MAX_ROUNDS = 6
"""A marker may uncover something beside it; more rounds than two are met in made-up texts only."""
MAX_NAME_LENGTH = 80


class TextRedactor:
    """Takes personal data and secrets out of texts; what it returns it would return unchanged."""

    def __init__(self, further: Sequence[Detector] = ()) -> None:
        """Use the built-in detectors and `further` ones after them."""
        self._detectors = (*DETECTORS, *further)
        self._clean = CleanTexts()

    def redact(self, text: str, name: str = "") -> str:
        """Return the text with markers in the place of personal data and secrets.

        Args:
            text: any text.
            name: the name of the field in which it stands, which may say what it is; empty for none.
        """
        digest = digest_of(text, name)
        if digest in self._clean:
            return text
        redacted = self._redact(text, name)
        if redacted == text:
            self._clean.add(digest)
        return redacted

    def _redact(self, text: str, name: str) -> str:
        if name and len(name) <= MAX_NAME_LENGTH:
            text = _redact_by_name(name, text)
        # a key spans lines, so it is looked for before the text is cut
        text = redact_private_keys(text)
        return "".join(self._redact_stretch(stretch) for stretch in stretches(text))

    def _redact_stretch(self, text: str) -> str:
        for _ in range(MAX_ROUNDS):
            before = text
            for detect in self._detectors:
                text = detect(text)
            if text == before:
                break
        return text


def stretches(text: str) -> Iterator[str]:
    """Cut a text into stretches of about `STRETCH_LENGTH` characters, where nothing to be found is likely to be cut.

    A stretch is longer where there is no such place.
    """
    start = 0
    while len(text) - start > STRETCH_LENGTH:
        cut = _cut(text, start + STRETCH_LENGTH)
        if not cut:
            break
        yield text[start:cut]
        start = cut
    yield text[start:]


def _cut(text: str, start: int) -> int:
    """Return the first good place to cut a text from there on; 0 for none."""
    for pattern in CUTS:
        if match := pattern.search(text, start, start + STRETCH_LENGTH):
            return match.end()
    return 0


def _redact_by_name(name: str, text: str) -> str:
    text = redact_named_value(name, text)
    return redact_phone_numbers(text, announced=True) if announces_phone_number(name) else text

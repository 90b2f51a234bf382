"""Redaction on a table of texts from several countries: what is taken out, and what must stay."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bot.redaction import markers
from bot.redaction.text import TextRedactor

FILE = Path(__file__).with_name("examples.txt")
MARKERS = {
    "email": markers.EMAIL,
    "phone": markers.PHONE,
    "card": markers.CARD,
    "iban": markers.IBAN,
    "key": markers.KEY,
}
LINES = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
EXAMPLES = [(kind, text) for kind, _, text in (line.partition("\t") for line in LINES)]
REDACTOR = TextRedactor()


def sent(text: str) -> str:
    return text.replace("«", "").replace("»", "")


def expected(kind: str, text: str) -> str:
    suffix = "@" if "@»" in text else ""
    return re.sub("«.*?»", MARKERS.get(kind, "") + suffix, text)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES, ids=[text[:40] for _, text in EXAMPLES])
def test_a_text_is_redacted_as_the_table_says(kind: str, text: str) -> None:
    assert REDACTOR.redact(sent(text)) == expected(kind, text)


def test_the_table_is_large_and_has_both_sides() -> None:
    kinds = Counter(kind for kind, _ in EXAMPLES)
    assert sum(kinds.values()) >= 300
    assert set(kinds) == {*MARKERS, "none"}
    assert kinds["none"] >= 120

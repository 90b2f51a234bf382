"""One page of a judge's guidelines, as somebody searches and turns it. Pure."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memalign.records import Guideline
from memalign.text_folding import fold

GUIDELINES_PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineEntry:
    """A guideline with what is told of it."""

    number: int
    """In order of learning, from 1: the same wherever people read it."""
    rule: Guideline
    authors: tuple[str, ...] = ()
    """The names of its people."""
    verdicts: int = 0
    """Verdicts whose judge was shown it."""
    last_ms: int = 0
    """Time of the last of them, in milliseconds since 1970; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineQuery:
    """The page that somebody looks at; a button carries it."""

    judge: str
    words: str = ""
    offset: int = 0

    def to_json(self) -> str:
        """Return it as a button's value."""
        return json.dumps([self.judge, self.words[:200], self.offset], ensure_ascii=False)

    def at(self, offset: int) -> "GuidelineQuery":
        """Return the same query from another entry on."""
        return replace(self, offset=max(offset, 0))


def search(entries: Sequence[GuidelineEntry], words: str) -> list[GuidelineEntry]:
    """Return the entries whose text or authors hold all the words, whatever their case and accents."""
    wanted = without_accents(words).split()
    return [entry for entry in entries if all(word in _searched(entry) for word in wanted)]


def without_accents(text: str) -> str:
    """Fold a text, and take off its accents."""
    decomposed = unicodedata.normalize("NFD", fold(text))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _searched(entry: GuidelineEntry) -> str:
    return without_accents(" ".join((entry.rule.text, *entry.authors)))

"""One page of a judge's guidelines, as somebody searches and turns it. Pure."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memalign.records import Guideline
from memalign.text_folding import fold

GUIDELINES_PER_PAGE = 20
MAX_SEARCH_LENGTH = 80
"""Characters of a search, so that it fits into a block's id beside all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineEntry:
    """A guideline with what is told of it."""

    number: int
    """In order of learning, from 1: the same wherever people read it."""
    rule: Guideline
    authors: tuple[str, ...] = ()
    """The names of its people."""
    editor: str = ""
    """The name of the person whose words it is in, where they edited it."""
    verdicts: int = 0
    """Verdicts whose judge was shown it."""
    led: int = 0
    """Those of them that it led, by the judge's own word."""
    last_ms: int = 0
    """Time of the last verdict whose judge was shown it, in milliseconds since 1970; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineQuery:
    """The page that somebody looks at; a button carries it."""

    judge: str
    words: str = ""
    offset: int = 0

    @classmethod
    def of(cls, judge: str, words: str) -> "GuidelineQuery":
        """Return the first page for words as they were typed."""
        return cls(judge=judge, words=" ".join(words.split())[:MAX_SEARCH_LENGTH].strip())

    def to_json(self) -> str:
        """Return it as a button's value."""
        return json.dumps([self.judge, self.words, self.offset], ensure_ascii=False)

    def at(self, offset: int) -> "GuidelineQuery":
        """Return the same query from another entry on."""
        return replace(self, offset=max(offset, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelinePage:
    """The entries that a query shows, and how many there are."""

    query: GuidelineQuery
    title: str
    """The name of the judge as people read it."""
    entries: tuple[GuidelineEntry, ...]
    matches: int
    """Entries that the words match, on all pages."""
    total: int
    """All guidelines of the judge."""
    now_ms: int
    """The time, in milliseconds since 1970."""


def page_of(
    entries: Sequence[GuidelineEntry], query: GuidelineQuery, now_ms: int, *, title: str = ""
) -> GuidelinePage:
    """Return the page of a query; the last one where the query is beyond it. The title is the judge's name if empty."""
    matching = search(entries, query.words)
    last = max(len(matching) - 1, 0) // GUIDELINES_PER_PAGE * GUIDELINES_PER_PAGE
    shown = query.at(min(query.offset, last))
    return GuidelinePage(
        query=shown,
        title=title or query.judge,
        entries=tuple(matching[shown.offset : shown.offset + GUIDELINES_PER_PAGE]),
        matches=len(matching),
        total=len(entries),
        now_ms=now_ms,
    )


def search(entries: Sequence[GuidelineEntry], words: str) -> list[GuidelineEntry]:
    """Return the entries whose text or authors hold all the words, whatever their case and accents."""
    wanted = without_accents(words).split()
    return [entry for entry in entries if all(word in _searched(entry) for word in wanted)]


def without_accents(text: str) -> str:
    """Fold a text, and take off its accents."""
    decomposed = unicodedata.normalize("NFD", fold(text))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _searched(entry: GuidelineEntry) -> str:
    text = entry.rule.text if entry.rule.has_words else ""
    return without_accents(" ".join((text, *entry.authors)))

"""The evidence that a verdict rests on, as it stands now, as views are given it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from memalign.records import Guideline, Label
from storage.records import StoredVerdict

GuidelineChange = Literal["reworded", "replaced"]
"""A person edited the guideline since it was shown, or another one stands for it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineEvidence:
    """A guideline that a judge was shown and that its memory still has, or what that became."""

    number: int
    """Its number in `/memalign guidelines`."""
    guideline: Guideline
    names: tuple[str, ...]
    """Names of the people it came from."""
    change: GuidelineChange | None = None
    """The cause for which the judge was shown other words; None if it was shown these."""
    is_cited: bool = False
    """True if it led the judge, by the judge's own word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """A similar case whose trace is still known."""

    trace_id: str
    question: str
    """The first lines of what was asked; empty where the trace holds no text."""
    label: Label | None
    """People's label; None where they have taken it back since."""
    verdict_id: str | None = None
    """The judge's own verdict on it, if there is a card of it."""
    link: str | None = None
    """Address of that card."""
    is_cited: bool = False
    """True if it led the judge, by the judge's own word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictEvidence:
    """A verdict with its evidence."""

    stored: StoredVerdict
    title: str
    """The name by which people know its judge."""
    question: str
    """The first lines of what its trace asked; empty where that holds no text."""
    judged_at: datetime
    """In the time zone of the settings."""
    reads_guidelines: bool
    """False for a judge without a language model, which reads none."""
    guidelines: tuple[GuidelineEvidence, ...] = ()
    """Those that led it first."""
    guidelines_gone: int = 0
    """Guidelines it was shown that its memory no longer has."""
    cited_guidelines_gone: int = 0
    """Those of them that led it."""
    cases: tuple[CaseEvidence, ...] = ()
    """Those that led it first; among them and the others the most similar first, or those of most weight."""
    cases_gone: int = 0
    """Cases it was shown whose traces were forgotten since."""
    cited_cases_gone: int = 0
    """Those of them that led it."""

"""A window's candidates, and the card that is chosen among them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.config import JudgeSettings
from memalign.records import Trace, Verdict
from storage.records import CardSelection, ShadowVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTrace:
    """A trace that may be given a window's card."""

    trace: Trace
    received_ms: int
    """Time of its arrival, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCard:
    """The verdict that a card shows, with the way in which its trace was chosen."""

    verdict: Verdict
    selection: CardSelection
    """Its probability is that of the window: to be a candidate there, then to be chosen. The judge's rate comes on
    top of it, with whoever stores the card."""
    shadows: tuple[ShadowVerdict, ...] = ()
    """Values of other memories on the same trace."""
    resembles_case: bool = False
    """True if the memory held a near copy of the trace."""


CardChooser = Callable[[JudgeSettings, Sequence[CandidateTrace], int], Awaitable[Sequence[ChosenCard]]]
"""Chooses the card of a judge's window among its candidates, which are a uniform sample of the traces seen there, whose
number it is given, too. Returns one card; none where the judge can take no candidate. What fails at one candidate
alone leaves that one out; it raises `ModelError` where the model fails, and is asked again later."""

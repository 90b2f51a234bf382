"""A window's candidates, and the card that is chosen among them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from memalign.records import Trace, Verdict
from storage.records import CardSelection, ShadowVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTrace:
    """A trace that may be given a window's card."""

    trace: Trace
    rate: float = 1.0
    """Share of the judge's traces that were sampled then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCard:
    """The verdict that a card shows, with the way in which its trace was chosen."""

    verdict: Verdict
    selection: CardSelection
    """Its probability is that of all stages: to be sampled, to be a candidate, to be chosen."""
    shadows: tuple[ShadowVerdict, ...] = ()
    """Values of other memories on the same trace."""
    resembles_case: bool = False
    """True if the memory held a near copy of the trace."""


def at_chance(selection: CardSelection, chance: float) -> CardSelection:
    """Return how a card was chosen in a window that had a chance of any card, from above 0 to 1."""
    reason = "random" if chance < 1 and selection.reason == "all" else selection.reason
    return replace(selection, probability=selection.probability * chance, reason=reason)


CardChoice = Callable[[str, Sequence[CandidateTrace], int], Awaitable[ChosenCard]]
"""Takes a judge's name, the candidates of a window, at least one, and the number of traces seen there, of which they
are a uniform sample. What fails at one candidate alone leaves that one out. Raises `InputError` where the judge can
take none of them, and `ModelError` where the model fails at all, to be asked again later."""

"""The card that is chosen among a window's candidates."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from memalign.records import Trace, Verdict
from storage.records import CardSelection, ShadowVerdict


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


CardChoice = Callable[[str, Sequence[Trace], int], Awaitable[ChosenCard]]
"""Takes a judge's name, the candidates of a window, at least one, and the number of traces seen there, of which they
are a uniform sample. What fails at one candidate alone leaves that one out. Raises `InputError` where the judge can
take none of them, and `ModelError` where the model fails at all, to be asked again later."""

"""The outcome of a person's decision on a guideline, as views are given it. Pure."""

from dataclasses import dataclass

from memalign.records import Guideline
from storage.guideline_requests import GuidelineRequestAction


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOutcome:
    """A decision that was carried out, or the reason why not."""

    judge: str
    action: GuidelineRequestAction
    rule: Guideline | None = None
    """The guideline as it is now; None where there is none any more, or nothing was done."""
    refusal: str = ""
    """The sentence on why nothing was done; empty where something was."""
    reads_guidelines: bool = True
    """False for a judge without a language model, which goes by its cases alone."""
    version: int = 0
    """The version of the memory that was gone back to."""
    undo_mark: str = ""
    """The mark of the form that can be undone; empty for none."""

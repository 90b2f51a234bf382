"""A trace that is not taken."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedTrace:
    """Something that is no trace, or none that a judge can judge, with the reason."""

    reason: str

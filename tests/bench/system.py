"""The systems that are measured: judges that learn from feedback, ours or the original. Only the standard library."""

from collections.abc import Sequence
from typing import Protocol

from tests.bench.rules import Case

NAME = "promises"
INSTRUCTIONS = "May the answer promise what it promises? Question: {{ inputs }} Answer: {{ outputs }}"
MODEL = "openai:/gpt-5-mini"
EMBEDDER = "openai:/text-embedding-3-small"


class JudgingSystem(Protocol):
    """A judge and its optimizer, as their users use them."""

    def start(self) -> None:
        """Forget everything, caches included."""

    def learn(self, cases: Sequence[Case]) -> set[str]:
        """Align with the cases' votes; return the trace ids reported as pending or rejected."""

    def forget(self, trace_id: str) -> None:
        """Unalign one trace."""

    def judge(self, case: Case) -> bool:
        """A verdict on a case."""

    def judge_all(self, cases: Sequence[Case]) -> list[bool]:
        """Verdicts on many cases at once."""

    def judge_without_contrast(self, cases: Sequence[Case]) -> list[bool]:
        """Verdicts on many cases, shown the most similar cases whatever their labels."""

    def judge_in_room(self, cases: Sequence[Case], guideline_tokens: int) -> list[bool]:
        """Verdicts on many cases, with so much room for guidelines where it can be limited."""

    def shown(self, case: Case) -> list[str]:
        """The traces of the cases that are shown for a verdict on this one, best first."""

    def guidelines(self) -> list[str]:
        """The texts of those in use."""

    def sources(self) -> set[str]:
        """The traces that guidelines rest on."""

    def sources_by_guideline(self) -> list[set[str]]:
        """The traces that each guideline in use rests on."""

    def keep(self, cases: Sequence[Case]) -> None:
        """Prepare to be loaded: align with the cases and save."""

    def load(self) -> None:
        """Load what `keep` saved."""

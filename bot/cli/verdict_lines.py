"""Lines of verdicts among lines of feedback: each is the verdict that people's labels on its trace answer."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.trace_json.trace_body import in_words
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.records import Assessment, Json

_KEYS_OF_FEEDBACK = {"label", "inputs", "outputs", "input", "output"}


class VerdictIn(BaseModel):
    """A line of VERDICTS.jsonl, or a verdict's line of an export; keys beyond these are not kept."""

    model_config = ConfigDict(extra="ignore", strict=True)

    trace_id: str
    judge: str
    value: Any
    rationale: str | None = None
    type: str | None = None
    guideline_ids: list[str] | None = None
    shown_guideline_ids: list[str] | None = None

    def is_of(self, judge: Judge) -> bool:
        """Return whether it is a verdict of this judge."""
        return self.judge.strip().casefold() == judge.name.strip().casefold()

    def assessment(self) -> Assessment:
        """Return it in the form in which a trace holds it."""
        return Assessment(
            name=self.judge,
            value=self.value,
            rationale=self.rationale,
            source_type="LLM_JUDGE",
            source_id="memalign",
            guideline_ids=tuple(dict.fromkeys(self._cited or ())),
        )

    @property
    def _cited(self) -> list[str] | None:
        """The guidelines that led the judge; an export of 0.1.0 has under this name all that it was shown."""
        is_of_0_1_0 = self.type == "verdict" and self.shown_guideline_ids is None
        return None if is_of_0_1_0 else self.guideline_ids


def read_verdict(document: Mapping[str, Json]) -> VerdictIn | None:
    """Return the verdict of a line; None where it is a line of something else. Raises `InputError`."""
    is_typed = document.get("type") == "verdict"
    if not is_typed and not ("value" in document and _KEYS_OF_FEEDBACK.isdisjoint(document)):
        return None
    try:
        return VerdictIn.model_validate(document)
    except ValidationError as error:
        raise InputError(in_words(error)) from None

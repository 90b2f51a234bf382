"""People's answers in a tracing tool, as far as they are values of a judge."""

import logging
from collections.abc import Mapping, Sequence

from bot.annotators import annotator_id
from bot.config import ConnectorSettings
from bot.connectors.annotator_events import Answer
from bot.connectors.tool import RemoteAssessment
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Json

log = logging.getLogger(__name__)


class PersonAnswers:
    """Reads answers for the judges of the settings."""

    def __init__(self, settings: ConnectorSettings, memories: Mapping[str, JudgeMemory]) -> None:
        self._settings = settings
        self._memories = memories
        self._told: set[str] = set()
        """Judges with a value in the tool that is none of theirs."""

    def of_judge(self, judge: str, assessments: Sequence[RemoteAssessment]) -> dict[str, Answer]:
        """Return the newest answer of each person about a judge; one that is no value of it is none."""
        answers: dict[str, Answer] = {}
        for each in sorted(assessments, key=lambda each: each.updated_ms):
            if each.name.strip().casefold() != judge.casefold():
                continue
            person = annotator_id(self._settings.type, each.author)
            value = self._value(judge, each.value)
            if value is None:
                answers.pop(person, None)
            else:
                answers[person] = Answer(value=value, reason=each.rationale, at_ms=each.updated_ms)
        return answers

    def _value(self, judge: str, value: Json) -> Json:
        try:
            return self._memories[judge].definition.value_type.parse(value)
        except InputError:
            if judge not in self._told:  # each look meets it again
                self._told.add(judge)
                log.warning("a value in %s is none of the judge %s", self._settings.name, judge)
            return None

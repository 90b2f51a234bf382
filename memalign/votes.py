"""People's feedback on one trace -> one label: one vote a person, majority, a tie goes to the newest."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from memalign.errors import InputError
from memalign.records import Assessment, Label, PersonLabel
from memalign.value_types import ValueType

_log = logging.getLogger("memalign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The outcome of the votes on one trace."""

    label: Label
    opinions: tuple[PersonLabel, ...]
    """Of those who hold the label, oldest first."""
    minority: tuple[PersonLabel, ...]
    """Of those outvoted, oldest first."""


def tally(assessments: Sequence[Assessment], judge: str, value_type: ValueType) -> Tally | None:
    """Count the votes that concern a judge.

    Only people's assessments under the judge's name count (letter case and outer blanks aside), and only valid ones.
    Each person has one vote, the newest; the majority wins, and the newest vote among those tied.

    Args:
        assessments: All of one trace.
        judge: The judge's name.
        value_type: Its value type; a vote that is no such value is left out.

    Returns:
        The outcome; None when nobody has a vote.

    Raises:
        InputError: If there are votes, but none is a value of this judge.
    """
    return tally_opinions(_newest_votes(_valid(assessments, judge, "HUMAN"), value_type))


def tally_opinions(opinions: Sequence[PersonLabel]) -> Tally | None:
    """Count opinions: the majority wins, and the newest opinion among those tied.

    Args:
        opinions: One a person, oldest first.

    Returns:
        The outcome; None when there are none.
    """
    if not opinions:
        return None
    label = _winner(opinions)
    return Tally(
        label=label,
        opinions=tuple(opinion for opinion in opinions if opinion.value == label),
        minority=tuple(opinion for opinion in opinions if opinion.value != label),
    )


def judge_assessment(assessments: Sequence[Assessment], judge: str) -> Assessment | None:
    """Find the verdict that people's labels answer.

    Args:
        assessments: All of one trace.
        judge: The judge's name.

    Returns:
        The newest valid assessment by a judge model under the judge's name that is no newer than people's newest label;
        where all are newer, or no time of a label is known, the newest one. None if there is none.
    """
    verdicts = _valid(assessments, judge, "LLM_JUDGE")
    labelled_ms = max(map(assessment_ms, _valid(assessments, judge, "HUMAN")), default=0)
    # a judge may have been asked again since, by what it has learned from these very labels
    answered = [each for each in verdicts if labelled_ms and assessment_ms(each) <= labelled_ms]
    return max(answered or verdicts, key=assessment_ms, default=None)


def assessment_ms(assessment: Assessment) -> int:
    """Return the time of an assessment.

    Args:
        assessment: The assessment.

    Returns:
        Milliseconds since 1970; 0 when its source gave none.
    """
    return max(assessment.create_time_ms or 0, assessment.last_update_time_ms or 0)


def _valid(assessments: Sequence[Assessment], judge: str, source_type: str) -> list[Assessment]:
    return [
        assessment
        for assessment in assessments
        if assessment.valid
        and assessment.value is not None
        and assessment.source_type.strip().upper() == source_type
        and assessment.name.strip().casefold() == judge.strip().casefold()
    ]


def _newest_votes(votes: Sequence[Assessment], value_type: ValueType) -> list[PersonLabel]:
    """Return each person's newest vote, oldest first."""
    newest: dict[str, PersonLabel] = {}
    wrong: InputError | None = None
    for assessment in sorted(votes, key=assessment_ms):
        newest.pop(assessment.source_id, None)
        try:
            newest[assessment.source_id] = _opinion(assessment, value_type)
        except InputError as error:
            _log.warning("A vote by %s was left out: its value cannot be read.", assessment.source_id)
            wrong = error
    if wrong and not newest:
        raise wrong
    return list(newest.values())


def _opinion(assessment: Assessment, value_type: ValueType) -> PersonLabel:
    return PersonLabel(
        person=assessment.source_id,
        value=value_type.parse(assessment.value),
        rationale=(assessment.rationale or "").strip(),
        time_ms=assessment_ms(assessment),
        supports=tuple(sorted(assessment.supports)),
    )


def _winner(opinions: Sequence[PersonLabel]) -> Label:
    counts = Counter(opinion.value for opinion in opinions)
    most = max(counts.values())
    return next(opinion.value for opinion in reversed(opinions) if counts[opinion.value] == most)

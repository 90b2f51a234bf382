"""People's feedback on one trace -> one label: one vote a person, majority, a tie goes to the newest."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from memalign.errors import InputError
from memalign.records import Assessment, Label, PersonLabel
from memalign.value_types import ValueType

_log = logging.getLogger("memalign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the people who voted on one trace decided."""

    label: Label
    opinions: tuple[PersonLabel, ...]
    """Those who hold the label, oldest first."""
    minority: tuple[PersonLabel, ...]
    """Those outvoted, oldest first."""


def tally(assessments: Sequence[Assessment], judge: str, value_type: ValueType) -> Tally | None:
    """Count the votes that concern the judge; None when nobody's vote stands.

    Only people's assessments under the judge's name count (letter case and outer blanks aside), and only
    those not withdrawn. Raises `InputError` when votes stand but none is a value of this judge.
    """
    opinions = _one_each(_standing(assessments, judge), value_type)
    if not opinions:
        return None
    label = _winner(opinions)
    return Tally(
        label=label,
        opinions=tuple(opinion for opinion in opinions if opinion.value == label),
        minority=tuple(opinion for opinion in opinions if opinion.value != label),
    )


def _standing(assessments: Sequence[Assessment], judge: str) -> list[Assessment]:
    return [
        said
        for said in assessments
        if said.valid
        and said.value is not None
        and said.source_type.strip().upper() == "HUMAN"
        and said.name.strip().casefold() == judge.strip().casefold()
    ]


def _one_each(standing: Sequence[Assessment], value_type: ValueType) -> list[PersonLabel]:
    """Each person's newest vote, oldest first."""
    newest: dict[str, PersonLabel] = {}
    wrong: InputError | None = None
    for said in sorted(standing, key=_time_ms):
        newest.pop(said.source_id, None)
        try:
            newest[said.source_id] = _opinion(said, value_type)
        except InputError as error:
            _log.warning("A vote by %s was left out: its value cannot be read.", said.source_id)
            wrong = error
    if wrong and not newest:
        raise wrong
    return list(newest.values())


def _opinion(said: Assessment, value_type: ValueType) -> PersonLabel:
    return PersonLabel(
        person=said.source_id,
        value=value_type.parse(said.value),
        rationale=(said.rationale or "").strip(),
        time_ms=_time_ms(said),
    )


def _time_ms(said: Assessment) -> int:
    return max(said.create_time_ms or 0, said.last_update_time_ms or 0)


def _winner(opinions: Sequence[PersonLabel]) -> Label:
    votes: dict[Label, int] = {}
    for opinion in opinions:
        votes[opinion.value] = votes.get(opinion.value, 0) + 1
    most = max(votes.values())
    return next(opinion.value for opinion in reversed(opinions) if votes[opinion.value] == most)

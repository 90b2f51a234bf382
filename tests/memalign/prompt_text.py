"""The record of a judge's prompt, as a model sees it."""

import json
from collections.abc import Mapping

from memalign.models.judging_prompt import judging_prompt
from memalign.ports import JudgeRequest, PromptRoom
from memalign.records import Evidence, Json
from memalign.value_types import value_type_of
from tests.factories import POLITENESS
from tests.fakes import section


def record_text(fields: Mapping[str, Json], prompt_tokens: int = 16_000) -> str:
    """Return the line of the record in a prompt of so many tokens."""
    request = JudgeRequest(
        judge="politeness",
        instructions=POLITENESS,
        value_type=value_type_of("bool"),
        fields=fields,
        trace_id="tr-1",
        evidence=Evidence(),
        episodes=(),
        version=1,
    )
    room = PromptRoom(prompt_tokens=prompt_tokens, answer_tokens=1_000)
    (line,) = section(judging_prompt(request, room).prompt.changing, "record")
    return line


def record(fields: Mapping[str, Json], prompt_tokens: int = 16_000) -> Json:
    """Return the record in a prompt of so many tokens."""
    return json.loads(record_text(fields, prompt_tokens))

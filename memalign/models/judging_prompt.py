"""The prompt that asks for a verdict, fitted into a model's context.

Where there is not room for everything, similar cases are shortened and then left out, the least similar first; then
guidelines are left out, the least relevant first; then the record itself is shortened. The instructions never are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from memalign.errors import ModelRefusedError
from memalign.fair_cut import fair_shares
from memalign.models.prompt_json import encode
from memalign.models.prompts import (
    CASE_TOKENS,
    case_line,
    cases_section,
    chosen_section,
    guideline_line,
    guidelines_section,
    judging_instructions,
    record_section,
)
from memalign.models.shortening import encoded_tokens, shorten_fields
from memalign.ports import JudgeRequest, Prompt, PromptRoom
from memalign.records import Evidence, Guideline, LeftOut, RetrievedEpisode
from memalign.tokens import count_tokens

MIN_RECORD_TOKENS = 100
"""Least room of a record. Set by hand: a short question and a short answer."""
MIN_CASE_TOKENS = 120
"""Cases are not shortened below this; of more, the least similar ones are left out. Set by hand."""
GUIDELINES_SHARE = 8
"""This fraction of the room (an eighth) guidelines keep beside a record that does not fit: what the team taught counts
more than that part of a record of which parts are missing anyway. Set by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingPrompt:
    """A prompt that fits, with the evidence that is in it."""

    prompt: Prompt
    """Instructions, and the guidelines shown with every trace, are its stable part."""
    guidelines: tuple[Guideline, ...]
    cases: tuple[RetrievedEpisode, ...]
    left_out: LeftOut


def judging_prompt(request: JudgeRequest, prompt_room: PromptRoom) -> JudgingPrompt:
    """Write the prompt that asks for a verdict.

    Args:
        request: Criterion, fields and evidence.
        prompt_room: The room for the prompt and for its answer.

    Returns:
        The prompt, and what had no room in it.

    Raises:
        ModelRefusedError: If the instructions leave no room for a record.
    """
    instructions = judging_instructions(request)
    names = encoded_tokens(dict.fromkeys(request.fields, ""))
    own = count_tokens(instructions) + count_tokens(record_section(""))
    room, needed = prompt_room.prompt_tokens - own, MIN_RECORD_TOKENS + names
    if room < needed:
        raise ModelRefusedError(
            f"A verdict of judge {request.judge} takes a prompt of at least {own + needed:,} tokens with its "
            f"instructions, and its model has room for about {prompt_room.prompt_tokens:,}. Choose a model with a "
            "larger context, set context_tokens if it has one, or shorten the instructions."
        )
    size = encoded_tokens(request.fields)
    guidelines = _kept_guidelines(request.evidence, max(room - size, room // GUIDELINES_SHARE))
    constant = _constant(request.evidence, guidelines)
    section = guidelines_section(guidelines[:constant])
    chosen = chosen_section(guidelines[constant:], constant + 1)
    room -= count_tokens(section) + count_tokens(chosen)
    record = encode(shorten_fields(request.fields, room))
    cases = _case_lines(request.evidence.retrieved, room - count_tokens(record))
    prompt = Prompt(
        stable=instructions + section,
        changing=cases_section(cases) + chosen + record_section(record),
        answer_tokens=prompt_room.answer_tokens,
    )
    return JudgingPrompt(
        prompt=prompt,
        guidelines=guidelines,
        cases=request.evidence.retrieved[: len(cases)],
        left_out=LeftOut(
            guidelines=len(request.evidence.guidelines) - len(guidelines),
            cases=len(request.evidence.retrieved) - len(cases),
            tokens=size - count_tokens(record),
        ),
    )


def _constant(evidence: Evidence, kept: Sequence[Guideline]) -> int:
    """Return how many of the kept guidelines are shown with every trace."""
    ids = {rule.id for rule in evidence.guidelines[: len(evidence.guidelines) - evidence.chosen]}
    return sum(rule.id in ids for rule in kept)


def _kept_guidelines(evidence: Evidence, max_tokens: int) -> tuple[Guideline, ...]:
    """Return the guidelines that fit, in the order given; the least relevant ones are left out."""
    if count_tokens(guidelines_section(evidence.guidelines)) <= max_tokens:
        return evidence.guidelines
    sizes = {
        rule.id: count_tokens(guideline_line(number, rule)) + 1
        for number, rule in enumerate(evidence.guidelines, start=1)
    }
    room = max_tokens - count_tokens(guidelines_section(evidence.guidelines[:1])) + next(iter(sizes.values()))
    kept = set()
    for rule_id in evidence.guideline_ranking or tuple(sizes):
        if sizes[rule_id] <= room:
            kept.add(rule_id)
            room -= sizes[rule_id]
    return tuple(rule for rule in evidence.guidelines if rule.id in kept)


def _case_lines(cases: Sequence[RetrievedEpisode], max_tokens: int) -> list[str]:
    """Return the lines of the cases that fit, the long ones shortened; the least similar ones are left out."""
    lines = [case_line(number, case, CASE_TOKENS) for number, case in enumerate(cases, start=1)]
    sizes = [count_tokens(line) + 1 for line in lines]
    for count in range(len(lines), 0, -1):
        room = max_tokens - count_tokens(cases_section([""] * count))
        shares = fair_shares(sizes[:count], room)
        if all(share >= min(size, MIN_CASE_TOKENS) for share, size in zip(shares, sizes, strict=False)):
            shortened = [
                line if size <= share else case_line(number, case, share - 1)
                for number, (case, line, size, share) in enumerate(
                    zip(cases, lines, sizes, shares, strict=False), start=1
                )
            ]
            if sum(count_tokens(line) + 1 for line in shortened) <= room:
                return shortened
    return []

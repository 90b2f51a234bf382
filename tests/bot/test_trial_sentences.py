"""Sentences on a guideline's trial, the same in Slack and at the terminal."""

from dataclasses import replace

import pytest

from bot.blocks.guideline_buttons import (
    APPROVE_GUIDELINE,
    EDIT_GUIDELINE,
    RETIRE_GUIDELINE,
    guideline_buttons,
)
from bot.plain_text import guideline_state, trial_sentence
from memalign.records import Guideline, GuidelineTrial, Handling, Lack
from tests.bot.bot_in_workspace import words
from tests.factories import a_guideline


def tried(fixed: int, broke: int, cases: int, *lacks: Lack) -> Guideline:
    return replace(a_guideline(), trial=GuidelineTrial(fixed=fixed, broke=broke, tried=cases), lacks=lacks)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (tried(3, 1, 12), "I tried it on 12 earlier cases: fixed 3, broke 1."),
        (tried(0, 0, 12), "I tried it on 12 earlier cases: no verdict changed."),
        (tried(1, 0, 1), "I tried it on 1 earlier case: fixed 1, broke 0."),
        (tried(3, 1, 12, "approval"), "I tried it on 12 earlier cases: fixed 3, broke 1."),
        (tried(1, 3, 12, "trial"), ""),
        (a_guideline(), ""),
        # of its words before somebody edited it
        (replace(tried(3, 1, 12), edited_by=Handling(person="zoe")), ""),
    ],
)
def test_the_numbers_are_told_where_they_are_about_the_rule_as_it_is(rule: Guideline, sentence: str) -> None:
    assert trial_sentence(rule) == sentence


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            tried(1, 3, 12, "trial"),
            "I tried it on 12 earlier cases: it would fix 1 and break 3, so I don't use it yet.",
        ),
        (
            tried(0, 1, 1, "approval", "trial"),
            (
                "I tried it on 1 earlier case: it would fix none and break 1, so I don't use it yet. "
                "Besides, somebody has to approve it."
            ),
        ),
        (replace(a_guideline(), lacks=("trial",)), "Not used yet: I'm trying it on earlier cases."),
        (
            replace(a_guideline(), lacks=("people", "trial")),
            "Not used yet: more people have to say so and I'm trying it on earlier cases.",
        ),
        (tried(3, 1, 12), ""),
    ],
)
def test_a_rule_that_is_held_back_or_still_to_be_tried_says_so(rule: Guideline, sentence: str) -> None:
    assert guideline_state(rule) == sentence


def test_only_a_rule_that_is_held_back_offers_to_be_used_anyway() -> None:
    held_back, good = (
        guideline_buttons("j", tried(1, 3, 12, "trial")),
        guideline_buttons("j", tried(3, 1, 12)),
    )

    assert words([held_back]).split("\n") == ["Use it anyway", "Edit", "Don't use"]
    assert words([good]).split("\n")[0] == "Good rule"
    ids = [each["action_id"] for each in held_back["elements"]]
    assert ids == [APPROVE_GUIDELINE, EDIT_GUIDELINE, RETIRE_GUIDELINE]

"""The words of the evidence of a verdict, and Slack's limits on its modal."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.blocks.why import (
    MAX_CASES,
    MAX_GUIDELINES,
    WHY,
    WRONG_CASE,
    WRONG_GUIDELINE,
    no_verdict_of_yours,
    why_message,
    why_view,
)
from bot.evidence import CaseEvidence, GuidelineChange, GuidelineEvidence, VerdictEvidence
from memalign.records import (
    WAITING_TEXT,
    Guideline,
    Handling,
    Json,
    Label,
    LeftOut,
    MemorySize,
    Source,
    Verdict,
)
from storage.records import CardSelection, StoredVerdict
from tests.bot.bot_in_workspace import words

MODEL = "openai:/gpt-5-mini"
MAX_SENTENCE_WORDS = 25


def a_verdict(**fields: Json) -> Verdict:
    known: dict[str, Json] = {
        "judge": "politeness",
        "trace_id": "tr-1",
        "value": False,
        "rationale": "curt",
        "model": MODEL,
        "memory": MemorySize(guidelines=2, cases=7),
    }
    return Verdict(**known | fields)


def a_rule(text: str = "Greet people.", cases: int = 2, **fields: Json) -> Guideline:
    sources = tuple(Source(trace_id=f"tr-{number}", person="U1", quote="rude") for number in range(cases))
    return Guideline(id="g-1", text=text, sources=sources, **fields)


def shown(
    rule: Guideline | None = None,
    number: int = 1,
    names: Sequence[str] = ("Ana Ruiz",),
    change: GuidelineChange | None = None,
    is_cited: bool = False,
) -> GuidelineEvidence:
    return GuidelineEvidence(
        number=number, guideline=rule or a_rule(), names=tuple(names), change=change, is_cited=is_cited
    )


def a_case(label: Label | None = False, **fields: Json) -> CaseEvidence:
    known: dict[str, Json] = {"trace_id": "tr-7", "question": "Where is my parcel?", "label": label}
    return CaseEvidence(**known | fields)


def evidence(verdict: Verdict | None = None, **fields: Json) -> VerdictEvidence:
    """Return the evidence of a verdict by a language model, which names all that it was shown."""
    rules, cases = fields.get("guidelines", ()), fields.get("cases", ())
    verdict = verdict or a_verdict()
    verdict = replace(
        verdict,
        guideline_ids=verdict.guideline_ids or tuple(each.guideline.id for each in rules if each.is_cited),
        cited_trace_ids=verdict.cited_trace_ids or tuple(each.trace_id for each in cases if each.is_cited),
        shown_guideline_ids=verdict.shown_guideline_ids or tuple(each.guideline.id for each in rules),
        retrieved_trace_ids=verdict.retrieved_trace_ids or tuple(each.trace_id for each in cases),
    )
    known: dict[str, Json] = {
        "stored": StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1"),
        "title": "Politeness",
        "question": "Can you help me?",
        "judged_at": datetime(2026, 11, 5, 9, 30, tzinfo=UTC),
        "reads_guidelines": True,
    }
    return VerdictEvidence(**known | fields)


def lines(about: VerdictEvidence) -> list[str]:
    return words(why_view(about)["blocks"]).splitlines()


def buttons(blocks: Sequence[Json]) -> list[tuple[str, str]]:
    accessories = [block["accessory"] for block in blocks if "accessory" in block]
    return [(each["action_id"], each["value"]) for each in accessories]


RULES: list[tuple[str, GuidelineEvidence, list[str]]] = [
    ("number and author", shown(number=12), ["*12.* Greet people.", "from Ana Ruiz · 2 cases"]),
    ("one case", shown(a_rule(cases=1)), ["from Ana Ruiz · 1 case"]),
    ("two authors", shown(names=("Ana", "Ben")), ["from Ana and Ben · 2 cases"]),
    ("nobody known", shown(names=()), ["from somebody · 2 cases"]),
    ("reworded", shown(change="reworded"), ["_Reworded since: the judge was shown other words._"]),
    (
        "replaced",
        shown(change="replaced"),
        ["_This guideline has since replaced the one that was shown._"],
    ),
    ("markup in it", shown(a_rule("<!here> & *you*")), ["*1.* &lt;!here&gt; &amp; *you*"]),
]


@pytest.mark.parametrize(("guideline", "expected"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_a_guideline_is_told_by_number_text_authors_and_cases(
    guideline: GuidelineEvidence, expected: list[str]
) -> None:
    said = lines(evidence(guidelines=(guideline,)))
    assert "*Guidelines it was shown*" in said
    assert set(expected) <= set(said)


def test_the_reason_for_the_choice_of_a_trace_is_told_with_its_chance() -> None:
    about = evidence()
    selection = CardSelection(probability=0.05, reason="unlike")
    picked = replace(about, stored=replace(about.stored, selection=selection))
    told = "Picked because nothing like it was seen before; its chance of a card was about 1 in 20."
    assert told in lines(picked)
    assert told in words(why_message(picked).blocks).splitlines()
    assert not [line for line in lines(about) if "chance of a card" in line]


STATES: list[tuple[str, Json]] = [
    ("waiting", {"waiting": True, "text": WAITING_TEXT}),
    ("retired", {"retired_by": Handling(person="U1")}),
    ("overruled", {"overruled": True}),
]


@pytest.mark.parametrize("fields", [row[1] for row in STATES], ids=[row[0] for row in STATES])
def test_a_guideline_out_of_use_is_told_as_such_without_a_placeholder(fields: Json) -> None:
    text = "\n".join(lines(evidence(guidelines=(shown(a_rule(**fields)),))))
    assert WAITING_TEXT not in text
    assert "_" in next(line for line in text.splitlines() if line.startswith("*1.*"))


def test_only_guidelines_that_are_not_retired_can_be_called_wrong() -> None:
    retired = replace(a_rule(retired_by=Handling(person="U1")), id="g-2")
    about = evidence(guidelines=(shown(), shown(retired, 2)))
    assert buttons(why_view(about)["blocks"]) == [
        (WRONG_GUIDELINE, '{"judge": "politeness", "guideline": "g-1"}')
    ]


def test_a_guideline_added_by_hand_says_so_in_place_of_no_cases() -> None:
    rule = a_rule(cases=0, added_by=Handling(person="U1", text="Greet people."))
    said = lines(evidence(guidelines=(shown(rule),)))
    assert "added by Ana Ruiz" in said


CASES: list[tuple[str, CaseEvidence, str]] = [
    ("fail", a_case(), "people say fail ❌"),
    ("a category", a_case("rude"), "people say rude"),
    ("a number", a_case(2), "people say 2"),
    ("taken back", a_case(None), "the votes on it were taken back"),
    (
        "with a card",
        a_case(link="https://x.slack.com/archives/C1/p1", verdict_id="v-7"),
        "people say fail ❌ · <https://x.slack.com/archives/C1/p1|Open the card>",
    ),
]


@pytest.mark.parametrize(("case", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_case_is_told_by_question_label_and_link(case: CaseEvidence, expected: str) -> None:
    said = lines(evidence(cases=(case,)))
    assert "*Similar cases it was shown*, most similar first" in said
    assert said[said.index("Where is my parcel?") + 1] == expected


def test_a_case_without_text_is_no_empty_line() -> None:
    assert "A case without text" in lines(evidence(cases=(a_case(question=""),)))


def test_only_cases_with_a_card_can_be_called_wrong() -> None:
    cases = (a_case(verdict_id="v-7"), a_case(trace_id="tr-8"))
    assert buttons(why_view(evidence(cases=cases))["blocks"]) == [(WRONG_CASE, "v-7")]


ORIGINS: list[tuple[str, Verdict, bool, str]] = [
    (
        "a language model",
        a_verdict(),
        True,
        "Judged on 5 Nov 2026 at 09:30 by gpt-5-mini, with 2 guidelines and 7 cases in memory.",
    ),
    (
        "one of each",
        a_verdict(memory=MemorySize(guidelines=1, cases=1)),
        True,
        "Judged on 5 Nov 2026 at 09:30 by gpt-5-mini, with 1 guideline and 1 case in memory.",
    ),
    (
        "a local model",
        a_verdict(model="local:/cases", memory=MemorySize(cases=1)),
        False,
        "Judged on 5 Nov 2026 at 09:30 without a language model, from 1 labelled case.",
    ),
    ("an earlier version", a_verdict(model=""), True, "Judged on 5 Nov 2026 at 09:30."),
]


@pytest.mark.parametrize(
    ("verdict", "reads_guidelines", "expected"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS]
)
def test_the_origin_names_time_model_and_size_of_memory(
    verdict: Verdict, reads_guidelines: bool, expected: str
) -> None:
    assert expected in lines(evidence(verdict, reads_guidelines=reads_guidelines))


def test_it_begins_as_the_card_does_and_the_question() -> None:
    assert lines(evidence())[:2] == ["❌ *Fail* · Politeness", "Can you help me?"]


def test_a_judge_without_a_language_model_says_why_it_shows_no_guidelines() -> None:
    said = lines(evidence(a_verdict(model="local:/cases"), reads_guidelines=False))
    assert "This judge reads none, since it uses no language model. Its cases decide." in said


def test_a_verdict_without_evidence_says_so() -> None:
    said = lines(evidence())
    assert "It was shown none." in said
    assert "There was none that it could go by." in said


def asked(**fields: Json) -> VerdictEvidence:
    """The evidence of a verdict whose judge could name what led it."""
    return evidence(a_verdict(asked_for_evidence=True), **fields)


def texts(blocks: Sequence[Json]) -> list[str]:
    return words(blocks).splitlines()


def test_what_led_the_judge_comes_first_and_all_else_it_was_shown_after_it() -> None:
    rules = [
        shown(replace(a_rule(f"Rule {number}."), id=f"g-{number}"), number, is_cited=number == 7)
        for number in (7, 1, 2)
    ]
    cases = [
        a_case(trace_id=f"tr-{each}", question=f"Question {each}?", is_cited=each == "b") for each in "bac"
    ]
    about = asked(guidelines=tuple(rules), cases=tuple(cases))

    said = [line for line in lines(about) if line.startswith(("*", "Question"))]
    short = [line for line in texts(why_message(about).blocks) if line.startswith(("*", "• Question", "…"))]

    assert said == [
        *(
            "*Guidelines that led it*",
            "*7.* Rule 7.",
            "*2 more guidelines it was shown*",
            "*1.* Rule 1.",
            "*2.* Rule 2.",
        ),
        *("*Similar cases that led it*", "Question b?", "*2 more cases it was shown*, most similar first"),
        *("Question a?", "Question c?"),
    ]
    assert short == [
        *("*Guidelines that led it*", "*7.* Rule 7.", "… and 2 more guidelines it was shown."),
        *("*Similar cases that led it*", "• Question b? · people say fail ❌", "… and 2 more cases."),
    ]
    assert len(buttons(why_view(about)["blocks"])) == 3


def test_where_it_led_by_all_that_was_shown_nothing_more_is_told() -> None:
    said = lines(asked(guidelines=(shown(is_cited=True),), cases=(a_case(is_cited=True),)))
    assert not any("more" in line or "named none" in line for line in said)


NAMED_NONE = "It named none of them as its reason."


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({"guidelines": (shown(),), "cases": (a_case(),)}, 2),
        ({"guidelines": (shown(is_cited=True),), "cases": (a_case(),)}, 1),
        ({"guidelines": (shown(),), "cases": (a_case(),), "cases_gone": 1, "cited_cases_gone": 1}, 1),
        ({}, 0),
    ],
)
def test_a_judge_that_named_nothing_is_told_to_have_done_so(fields: Json, times: int) -> None:
    assert lines(asked(**fields)).count(NAMED_NONE) == times
    for message in (why_message(asked(**fields)).blocks, why_view(asked(**fields))["blocks"]):
        assert texts(message).count(NAMED_NONE) == times


def test_nobody_is_told_to_have_named_nothing_who_was_not_asked_or_is_no_language_model() -> None:
    old = evidence(guidelines=(shown(),), cases=(a_case(),))
    local = a_verdict(model="local:/cases", asked_for_evidence=True)
    offline = evidence(local, reads_guidelines=False, cases=(a_case(is_cited=True), a_case(trace_id="tr-8")))
    assert NAMED_NONE not in (*lines(old), *lines(offline))
    assert "*Cases that weighed most*" in lines(offline)


def test_what_led_it_and_is_gone_is_told_apart() -> None:
    verdict = a_verdict(
        asked_for_evidence=True,
        guideline_ids=("g-1",),
        shown_guideline_ids=("g-1", "g-2", "g-3"),
        retrieved_trace_ids=(),
    )
    about = evidence(verdict, guidelines_gone=3, cited_guidelines_gone=1, cases_gone=3, cited_cases_gone=2)
    about = replace(about, stored=replace(about.stored, forgotten_cases=3, forgotten_cited_cases=2))
    assert {
        "1 guideline that led it is gone.",
        "2 guidelines it was shown are gone.",
        "2 cases that led it have since been forgotten.",
        "1 case has since been forgotten.",
    } <= set(lines(about))


GONE: list[tuple[int, int, set[str]]] = [
    (1, 1, {"1 guideline it was shown is gone.", "1 case has since been forgotten."}),
    (3, 2, {"3 guidelines it was shown are gone.", "2 cases have since been forgotten."}),
]


@pytest.mark.parametrize(("rules", "cases", "expected"), GONE)
def test_what_is_gone_is_counted(rules: int, cases: int, expected: set[str]) -> None:
    verdict = a_verdict(
        shown_guideline_ids=tuple(f"g-{number}" for number in range(rules)),
        retrieved_trace_ids=tuple(f"tr-{number}" for number in range(cases)),
    )
    assert expected <= set(lines(evidence(verdict, guidelines_gone=rules, cases_gone=cases)))


def test_what_was_left_out_for_room_is_told() -> None:
    verdict = a_verdict(left_out=LeftOut(guidelines=3, cases=1), note="The embedding model is down.")
    said = lines(evidence(verdict))
    assert "The model had no room for 3 guidelines and 1 similar case." in said
    assert "The embedding model is down." in said


def many() -> VerdictEvidence:
    rules = [shown(replace(a_rule("w" * 5000), id=f"g-{number}"), number) for number in range(1, 200)]
    cases = [a_case(trace_id=f"tr-{number}", question="q" * 900, verdict_id="v-7") for number in range(100)]
    return evidence(guidelines=tuple(rules), cases=tuple(cases), question="q" * 900)


def test_the_modal_keeps_within_slacks_limits_and_counts_the_rest() -> None:
    blocks = why_view(many())["blocks"]
    assert len(blocks) <= 100
    assert max(len(block["text"]["text"]) for block in blocks if block["type"] == "section") <= 3000
    said = words(blocks).splitlines()
    assert f"… and {199 - MAX_GUIDELINES} more guidelines it was shown." in said
    assert f"… and {100 - MAX_CASES} more cases." in said


def test_the_message_is_short_and_opens_the_modal() -> None:
    message = why_message(many())
    assert len(message.blocks) <= 10
    assert max(len(block["text"]["text"]) for block in message.blocks if block["type"] == "section") <= 3000
    assert message.blocks[-1]["elements"][0]["action_id"] == WHY
    assert message.blocks[-1]["elements"][0]["value"] == "v-1"


def test_a_reference_is_quoted_without_pinging_anybody() -> None:
    assert "<!" not in str(no_verdict_of_yours("<!channel>", "<!here>").arguments())


def test_every_sentence_is_short() -> None:
    verdict = a_verdict(left_out=LeftOut(guidelines=3, cases=1, tokens=900))
    about = evidence(
        verdict,
        guidelines=(shown(change="reworded"), shown(change="replaced")),
        guidelines_gone=2,
        cases=(a_case(), a_case(None)),
        cases_gone=2,
    )
    for line in lines(about):
        assert all(len(sentence.split()) <= MAX_SENTENCE_WORDS for sentence in line.split(". "))

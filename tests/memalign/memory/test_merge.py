from collections.abc import Mapping
from dataclasses import replace

import pytest

from memalign.memory.guideline_handling import retired
from memalign.memory.merge import GuidelineMerger
from memalign.memory.semantic import SemanticMemory
from memalign.memory.text_features import repeats, sentence_key
from memalign.ports import Distillation, Draft, Vector
from memalign.records import Episode, Guideline, Handling, Label
from tests.factories import a_guideline, a_source, an_episode
from tests.fakes import direction


def merged(
    distillation: Distillation,
    *rules: Guideline,
    labels: Mapping[str, Label],
    vectors: Mapping[str, Vector] | None = None,
    binary: bool = True,
) -> tuple[Guideline, ...]:
    """The guidelines after a distillation, with an episode for each labelled trace."""
    episodes: dict[str, Episode] = {name: an_episode(name, label) for name, label in labels.items()}
    memory = SemanticMemory(guidelines=rules)
    merger = GuidelineMerger("j", memory, episodes, binary=binary, vectors=vectors or {}, now_ms=1)
    return merger.merge(distillation, ()).guidelines


def a_draft(text: str, trace_id: str, label: Label = False) -> Draft:
    return Draft(text=text, sources=(a_source(trace_id),), labels=(label,))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Greet the user.", "  greet  the USER! "),
        ("Don't promise “refunds”.", 'Don’t promise "refunds"'),
        ("不要承诺退款。", "不要承诺退款！"),
        ("Ｇｒｅｅｔ the user.", "Greet the user."),
        ("Répondez en français.", "Re\u0301pondez en français"),
        ("Nenne die Quelle.", "nenne die quelle …"),
    ],
)
def test_equal_sentences_are_one_rule_in_any_language(text: str, other: str) -> None:
    drafts = (a_draft(text, "tr-1"), a_draft(other, "tr-2"))

    (rule,) = merged(Distillation(drafts=drafts), labels={"tr-1": False, "tr-2": False})

    assert rule.text == text
    assert rule.source_trace_ids == ("tr-1", "tr-2")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Apologise before explaining a delay.", "Explain a delay before apologising."),
        ("Ask before cancelling.", "Cancel before asking."),
        ("Do not answer with questions.", "Do not answer without questions."),
        ("Cite 2 sources.", "Cite 3 sources."),
        ("Never promise refunds.", "Never promise repairs."),
        ("Answers must cite a source.", "Always cite sources in an answer!"),
        ("Nenne immer die Quelle.", "Nenne nie die Quelle."),
        ("Angles below 5² count.", "Angles below 52 count."),
        ("Always promise refunds.", "Promise refunds always."),
    ],
)
def test_code_unites_no_other_sentences_however_close_their_vectors_lie(text: str, other: str) -> None:
    drafts = (a_draft(text, "tr-1"), a_draft(other, "tr-2"))
    same_direction = {text: direction("x"), other: direction("x")}

    rules = merged(Distillation(drafts=drafts), labels={"tr-1": False, "tr-2": False}, vectors=same_direction)

    assert [rule.text for rule in rules] == [text, other]
    assert sentence_key(text) != sentence_key(other)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("Answers must cite a source.", "Cite a source, answers must."),
        ("Answers must cite a source.", "Always cite sources in an answer!"),
        ("Antworten müssen eine Quelle nennen.", "Eine Quelle müssen Antworten nennen!"),
        ("Les réponses citent une source.", "Une source, les réponses citent."),
        ("不要承诺退款。", "不要承诺退款"),
    ],
)
def test_a_retired_rule_said_again_stays_out_of_use(rule: str, text: str) -> None:
    known = retired(a_guideline(rule, a_source("tr-1")), Handling(person="zoe"))

    (held,) = merged(
        Distillation(drafts=(a_draft(text, "tr-2", True),)), known, labels={"tr-1": False, "tr-2": True}
    )

    assert held.retired
    assert held.source_trace_ids == ("tr-1", "tr-2")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("Promise refunds.", "Never promise refunds."),
        ("Promise refunds.", "Promise repairs."),
        ("Nenne immer die Quelle.", "Nenne nie die Quelle."),
    ],
)
def test_the_opposite_of_a_retired_rule_is_a_rule_of_its_own(rule: str, text: str) -> None:
    known = retired(a_guideline(rule, a_source("tr-1")), Handling(person="zoe"))

    rules = merged(
        Distillation(drafts=(a_draft(text, "tr-2"),)), known, labels={"tr-1": False, "tr-2": False}
    )

    assert [each.text for each in rules if each.in_use] == [text]
    assert not repeats(text, rule)


def told_to_be_the_same(
    labels: list[Label],
    against: tuple[str, ...] = (),
    meanings: tuple[str, str, str] = ("x", "x", "x"),
    *,
    binary: bool = True,
) -> list[tuple[str, tuple[str, ...]]]:
    """Merge three rules that a model takes for one, the second resting on two people; returns the guidelines."""
    names = ("tr-1", "tr-2", "tr-3", "tr-4")
    rules = (
        a_guideline("Cite sources.", a_source("tr-1"), guideline_id="g-1"),
        a_guideline("Quellen sind zu nennen.", a_source("tr-2"), a_source("tr-3", "ben"), guideline_id="g-2"),
        replace(a_guideline("说明来源。", a_source("tr-4"), guideline_id="g-3"), conflicts_with=against),
    )
    left = merged(
        Distillation(same=(("g-1", "g-2", "g-3"),)),
        *rules,
        labels=dict(zip(names, labels, strict=True)),
        vectors={rule.text: direction(meaning) for rule, meaning in zip(rules, meanings, strict=True)},
        binary=binary,
    )
    return [(rule.text, tuple(sorted(rule.source_trace_ids))) for rule in left]


ONE = [("Quellen sind zu nennen.", ("tr-1", "tr-2", "tr-3", "tr-4"))]
APART = [("Quellen sind zu nennen.", ("tr-1", "tr-2", "tr-3")), ("说明来源。", ("tr-4",))]


def test_rules_that_a_model_takes_for_one_become_one_with_the_sources_of_all_in_any_language() -> None:
    assert told_to_be_the_same([False] * 4) == ONE


def test_rules_that_only_a_model_takes_for_one_stay_apart() -> None:
    assert len(told_to_be_the_same([False] * 4, meanings=("x", "y", "z"))) == 3


def test_rules_whose_cases_split_by_label_or_that_are_in_conflict_stay_apart_whatever_a_model_says() -> None:
    assert told_to_be_the_same([False, False, False, True]) == APART
    assert told_to_be_the_same([False] * 4, against=("g-2",)) == APART
    assert told_to_be_the_same(["poor", "poor", "fair", "good"], binary=False) == APART


def test_categories_in_common_and_numbers_split_no_rules() -> None:
    assert told_to_be_the_same(["poor", "fair", "poor", "fair"], binary=False) == ONE
    assert told_to_be_the_same([1, 1, 2, 3], binary=False) == ONE


def test_what_was_distilled_from_words_that_no_longer_stand_is_left_out() -> None:
    episodes = {"tr-1": an_episode("tr-1", rationale="changed since")}
    draft = Draft(
        text="Rule.", sources=(a_source("tr-1", quote="before"), a_source("gone")), labels=(False, False)
    )

    merger = GuidelineMerger("j", SemanticMemory(), episodes, binary=True, vectors={}, now_ms=1)

    assert merger.merge(Distillation(drafts=(draft,)), ()).guidelines == ()


def test_supports_for_what_is_unknown_or_waiting_are_passed_over() -> None:
    waiting = a_guideline("x", a_source("tr-1"), guideline_id="g-1")
    memory = SemanticMemory(guidelines=(waiting,)).without_opinions({("tr-1", "nobody")})
    merger = GuidelineMerger("j", memory, {"tr-2": an_episode("tr-2")}, binary=True, vectors={}, now_ms=1)

    after = merger.merge(Distillation(supports={"g-9": (a_source("tr-2"),), "g-1": (a_source("gone"),)}), ())

    assert [rule.sources for rule in after.guidelines] == [(a_source("tr-1"),)]

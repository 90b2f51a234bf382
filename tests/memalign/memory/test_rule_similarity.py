from dataclasses import replace

import pytest

from memalign.memory.merge import GuidelineMerger
from memalign.memory.rule_similarity import Relation, RuleFeatures, RuleIndex, relation
from memalign.memory.semantic import SemanticMemory
from memalign.ports import Distillation, Draft
from memalign.records import Label
from tests.factories import a_guideline, a_source, an_episode
from tests.fakes import direction


@pytest.mark.parametrize(
    ("first", "labels", "second", "second_labels", "expected"),
    [
        ("Cite a source.", [False], "Always cite sources.", [False], "same"),
        ("Cite a source.", [False], "Always cite sources.", [True], "opposite"),
        ("Cite sources.", [False], "Do not cite sources.", [False], "opposite"),
        ("Cite sources.", [True], "Do not cite sources.", [False], "unrelated"),
        ("Cite 2 sources.", [False], "Cite 3 sources.", [False], "unrelated"),
        ("Cite a source.", [False, True], "Cite sources.", [False], "unrelated"),
        ("Never promise refunds.", [False], "Never promise repairs.", [False], "unrelated"),
        ("Never promise refunds to guests.", [False], "Never promise refunds.", [False], "unrelated"),
        ("Never promise refunds.", [False], "An answer must not promise a refund.", [False], "same"),
    ],
)
def test_labels_negations_and_numbers_decide_what_two_like_rules_are(
    first: str, labels: list[Label], second: str, second_labels: list[Label], expected: Relation
) -> None:
    assert (
        relation(RuleFeatures.of(first), labels, RuleFeatures.of(second), second_labels, binary=True)
        == expected
    )
    assert (
        relation(RuleFeatures.of(second), second_labels, RuleFeatures.of(first), labels, binary=True)
        == expected
    )


def test_where_labels_are_many_a_different_one_is_not_the_opposite() -> None:
    first, second = RuleFeatures.of("Cite a source."), RuleFeatures.of("Cite sources.")

    assert relation(first, [2], second, [4], binary=False) == "same"
    assert relation(first, [2], RuleFeatures.of("Never cite sources."), [2], binary=False) == "unrelated"


@pytest.mark.parametrize("text", ["greet the user", " Greet  the user! ", "GREET THE USER."])
def test_the_same_sentence_is_found_whatever_its_case_blanks_and_stop(text: str) -> None:
    rules = RuleIndex()
    rules.add("g-1", RuleFeatures.of("Greet the user."), None)

    assert rules.with_same_text(RuleFeatures.of(text)) == "g-1"
    assert rules.with_same_text(RuleFeatures.of("Greet the users' dog.")) is None


def test_rules_are_similar_in_words_or_in_direction() -> None:
    rules = RuleIndex()
    rules.add("words", RuleFeatures.of("Answers must cite a source."), None)
    rules.add("direction", RuleFeatures.of("References are required."), direction("x"))
    rules.add("neither", RuleFeatures.of("Greet the user."), direction("y"))

    assert rules.similar(RuleFeatures.of("Always cite sources in an answer"), direction("x")) == [
        "words",
        "direction",
    ]
    assert rules.similar(RuleFeatures.of("Always cite sources in an answer"), None) == ["words"]


def test_paraphrases_are_united_by_their_vectors_where_these_are_known() -> None:
    episodes = {name: an_episode(name) for name in ("tr-1", "tr-2")}
    drafts = (
        Draft(text="References are required.", sources=(a_source("tr-1"),), labels=(False,)),
        Draft(text="Cite where it comes from.", sources=(a_source("tr-2"),), labels=(False,)),
    )
    vectors = {draft.text: direction("same") for draft in drafts}

    merger = GuidelineMerger("j", SemanticMemory(), episodes, binary=True, vectors=vectors, now_ms=1)
    (united,) = merger.merge(Distillation(drafts=drafts), ()).guidelines

    assert united.text == "References are required."
    assert united.source_trace_ids == ("tr-1", "tr-2")


def _told_to_be_the_same(
    labels: list[Label], against: tuple[str, ...] = (), meanings: tuple[str, str, str] = ("x", "x", "x")
) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is left of three rules, the second resting on two people, when a model takes them for one."""
    names = ["tr-1", "tr-2", "tr-3", "tr-4"]
    episodes = {name: an_episode(name, label) for name, label in zip(names, labels, strict=True)}
    rules = (
        a_guideline("Cite sources.", a_source("tr-1"), guideline_id="g-1"),
        a_guideline("Give references.", a_source("tr-2"), a_source("tr-3", "ben"), guideline_id="g-2"),
        replace(a_guideline("Say whence.", a_source("tr-4"), guideline_id="g-3"), conflicts_with=against),
    )
    memory = SemanticMemory(guidelines=rules)
    vectors = {rule.text: direction(meaning) for rule, meaning in zip(rules, meanings, strict=True)}
    merger = GuidelineMerger("j", memory, episodes, binary=True, vectors=vectors, now_ms=1)
    left = merger.merge(Distillation(same=(("g-1", "g-2", "g-3"),)), ()).guidelines
    return [(rule.text, tuple(sorted(rule.source_trace_ids))) for rule in left]


def test_rules_that_a_model_takes_for_one_become_one_with_the_sources_of_all_where_vectors_say_so() -> None:
    assert _told_to_be_the_same([False] * 4) == [("Give references.", ("tr-1", "tr-2", "tr-3", "tr-4"))]


def test_rules_that_only_a_model_takes_for_one_stay_apart() -> None:
    assert len(_told_to_be_the_same([False] * 4, meanings=("x", "y", "z"))) == 3


def test_rules_from_cases_with_other_labels_or_in_conflict_stay_apart_whatever_a_model_says() -> None:
    apart = [("Give references.", ("tr-1", "tr-2", "tr-3")), ("Say whence.", ("tr-4",))]

    assert _told_to_be_the_same([False, False, False, True]) == apart
    assert _told_to_be_the_same([False] * 4, against=("g-2",)) == apart


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

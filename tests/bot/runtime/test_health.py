"""The health registry."""

from bot.runtime.health import HealthRegistry, Problem


def test_a_reason_stands_until_it_is_taken_back() -> None:
    health = HealthRegistry()
    health.report("judging", "politeness", "its model is down")
    assert health.problems() == (
        Problem(component="judging", subject="politeness", reason="its model is down"),
    )
    health.report("judging", "politeness", None)
    assert health.problems() == ()


def test_a_subject_has_one_reason_in_each_component_the_newest() -> None:
    health = HealthRegistry()
    health.report("judging", "politeness", "first")
    health.report("judging", "politeness", "second")
    health.report("learning", "politeness", "third")
    assert health.reason("judging", "politeness") == "second"
    assert health.reason("learning", "politeness") == "third"


def test_subjects_are_those_of_one_component() -> None:
    health = HealthRegistry()
    health.report("posting", "C1", "archived")
    health.report("redacting messages", "C2", "archived")
    assert health.subjects("posting") == {"C1"}


def test_taking_back_what_was_never_reported_does_nothing() -> None:
    health = HealthRegistry()
    health.report("posting", "C1", None)
    assert health.problems() == ()

"""The present state of a card's thread, derived from feedback, memory and what the thread showed before. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.feedback import Feedback
from bot.learning.shown_rules import PeopleNow, ids_of, next_shown_rules
from bot.thread_status import PersonAnswer, TakenBackRule, TaughtRule, ThreadStatus, TypedReason
from memalign.records import Episode, Guideline, Label
from storage.records import ShownRule, StoredVerdict, ThreadRefusal, ToldDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFacts:
    """All that a thread's status follows from."""

    verdict: StoredVerdict
    people: PeopleNow
    is_at_rest: bool
    """False while some of the feedback is too new to be told."""
    episode: Episode | None
    guidelines: Sequence[Guideline]
    """All that the memory holds."""
    shown: Sequence[ShownRule] = ()
    """The rules that the thread showed until now."""
    refusals: Sequence[ThreadRefusal] = ()
    doubts: Sequence[ToldDoubt] = ()
    """Guidelines in doubt that this thread was the first to tell of."""
    is_pending: bool = False
    """True while the memory waits to learn from the trace in full."""
    is_declined: bool = False
    """True if the reflection model refuses to read reasons on the trace."""
    is_rolled_back: bool = False
    """True if somebody went back to a version that holds something else of the trace."""
    busy: frozenset[str] = frozenset()
    """People who have a modal open on the verdict."""
    choices: tuple[Label, ...] = ()
    """Values to choose a correction from."""
    reads_guidelines: bool = True
    """False for a judge without a language model."""
    shows_reasons: bool = True
    """False where reasons typed in modals are nobody else's."""

    @property
    def feedback(self) -> Mapping[str, Feedback]:
        """The feedback that counts, by person."""
        return self.people.feedback

    @property
    def trace_id(self) -> str:
        """The verdict's trace."""
        return self.verdict.verdict.trace_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedStatus:
    """A thread's status, and what is to be stored of it."""

    status: ThreadStatus
    shown: tuple[ShownRule, ...]
    held_back_for: frozenset[str]
    """People for whose modals a question is held back."""


def derive_status(facts: ThreadFacts) -> DerivedStatus:
    """Derive a thread's status."""
    shown = next_shown_rules(facts.shown, facts.trace_id, facts.guidelines, facts.people, facts.episode)
    rules = _taught_rules(shown, facts.guidelines)
    wanting_value, wanting_reason = _asked_for_value(facts), _asked_for_reason(facts)
    reasons = _reasons(facts)
    authors = {person for taught in rules for person in taught.authors}
    refused = {each.person: each.reason for each in facts.refusals if each.person in reasons - authors}
    is_read = bool(reasons) and not facts.is_pending and not facts.is_declined
    status = ThreadStatus(
        judge=facts.verdict.verdict.judge,
        verdict=facts.verdict.verdict.value,
        answers=_answers(facts),
        label=facts.episode.label if facts.episode else None,
        reasons=_typed_reasons(facts),
        rules=rules,
        doubted=_doubted_rules(facts, {taught.rule.id for taught in rules}),
        taken_back=_taken_back_rules(shown, facts.verdict.verdict.value),
        refusals=tuple(dict.fromkeys(refused.values())) if is_read else (),
        is_reading=bool(reasons) and facts.is_pending,
        is_declined=bool(reasons) and facts.is_declined,
        is_rolled_back=facts.is_rolled_back,
        without_rule=tuple(sorted(reasons - authors - refused.keys())) if is_read else (),
        asks_value=bool(wanting_value) and wanting_value.isdisjoint(facts.busy),
        choices=facts.choices,
        asks_why=bool(wanting_reason) and wanting_reason.isdisjoint(facts.busy),
        answers_reply=any(each.replies_value and each.vote for each in facts.feedback.values()),
        reads_guidelines=facts.reads_guidelines,
    )
    held_back_for = facts.busy & (wanting_value | wanting_reason)
    return DerivedStatus(status=status, shown=shown, held_back_for=held_back_for)


def doubts_in(guidelines: Iterable[Guideline], cited_ids: Collection[str]) -> tuple[ToldDoubt, ...]:
    """Return the guidelines in doubt among those that led to a verdict, or that stand for one which did."""
    return tuple(
        ToldDoubt(guideline_id=rule.id, since_ms=rule.record_since_ms)
        for rule in guidelines
        if rule.stands and rule.doubtful and not set(ids_of(rule)).isdisjoint(cited_ids)
    )


def _doubted_rules(facts: ThreadFacts, taught_ids: Collection[str]) -> tuple[Guideline, ...]:
    """Return the rules in doubt that the thread tells of, without those that it tells of anyway."""
    doubts = {(each.guideline_id, each.since_ms) for each in facts.doubts}
    return tuple(
        rule
        for rule in facts.guidelines
        if rule.stands and rule.doubtful and rule.id not in taught_ids
        if (rule.id, rule.record_since_ms) in doubts
    )


def _answers(facts: ThreadFacts) -> tuple[PersonAnswer, ...]:
    """Return people's answers: as they stand, or while newer ones come to rest, as the memory holds them."""
    if facts.is_at_rest:
        told = sorted(facts.feedback.values(), key=lambda each: each.time_ms)
        return tuple(
            PersonAnswer(person=each.person, value=each.value, is_unsure=each.vote == "unsure")
            for each in told
            if each.vote is not None
        )
    labels = (*facts.episode.opinions, *facts.episode.minority) if facts.episode else ()
    return tuple(
        PersonAnswer(person=each.person, value=each.value)
        for each in sorted(labels, key=lambda each: each.time_ms)
    )


def _typed_reasons(facts: ThreadFacts) -> tuple[TypedReason, ...]:
    """Return reasons typed in modals: as they stand, or while newer ones come to rest, those the memory holds."""
    if not facts.shows_reasons:
        return ()
    labels = (*facts.episode.opinions, *facts.episode.minority) if facts.episode else ()
    held = {label.person: label.rationale or "" for label in labels}
    told = sorted(facts.feedback.values(), key=lambda each: each.time_ms)
    return tuple(
        TypedReason(person=each.person, text=each.typed_reason)
        for each in told
        if each.typed_reason
        and each.vote is not None
        and (facts.is_at_rest or each.typed_reason in held.get(each.person, ""))
    )


def _taught_rules(shown: Sequence[ShownRule], guidelines: Sequence[Guideline]) -> tuple[TaughtRule, ...]:
    by_id = {rule.id: rule for rule in guidelines}
    return tuple(_taught_rule(each, by_id[each.ids[0]]) for each in shown if each.taken_back is None)


def _taught_rule(shown: ShownRule, rule: Guideline) -> TaughtRule:
    retired_by = rule.retired_by
    return TaughtRule(
        rule=rule,
        earlier_text=shown.earlier_text,
        authors=tuple(dict.fromkeys(author.person for author in shown.authors)) or rule.people,
        is_held_back=retired_by is not None
        and any(author.time_ms > retired_by.time_ms for author in shown.authors),
    )


def _taken_back_rules(shown: Sequence[ShownRule], verdict: Label) -> tuple[TakenBackRule, ...]:
    return tuple(
        TakenBackRule(
            text=each.text,
            cause=each.taken_back,
            people=each.taken_back_by,
            was_up=any(author.value == verdict for author in each.authors),
        )
        for each in shown
        if each.taken_back is not None
    )


def _reasons(facts: ThreadFacts) -> set[str]:
    """Return the people whose reasons for the memory's label count."""
    opinions = facts.episode.opinions if facts.episode else ()
    return {opinion.person for opinion in opinions if opinion.rationale}


def _asked_for_value(facts: ThreadFacts) -> set[str]:
    """Return who says that the verdict is wrong without saying what is right."""
    if not facts.is_at_rest:
        return set()
    return {each.person for each in facts.feedback.values() if each.vote == "down" and each.value is None}


def _asked_for_reason(facts: ThreadFacts) -> set[str]:
    """Return who overruled the verdict, where nobody said why."""
    if not facts.is_at_rest or facts.episode is None or facts.episode.label == facts.verdict.verdict.value:
        return set()
    agreeing = [each for each in facts.feedback.values() if each.value == facts.episode.label]
    if any(each.rationale for each in agreeing):
        return set()
    return {each.person for each in agreeing if each.vote == "down"}

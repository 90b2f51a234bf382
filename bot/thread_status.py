"""The present state of a card's thread, as the view of its one message is given it."""

from collections.abc import Sequence
from dataclasses import dataclass

from memalign.records import Guideline, Label
from memalign.rule_refusal import Refusal
from storage.records import TakenBack


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAnswer:
    """One person's answer to a verdict."""

    person: str
    value: Label | None
    """The person's label; None for somebody who cannot tell, or who says only that the verdict is wrong."""
    is_unsure: bool = False
    """True for somebody who cannot tell; they do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedReason:
    """A reason that a person typed in a modal, so that it stands nowhere else in the thread."""

    person: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtRule:
    """A guideline that people's reasons in this thread led to."""

    rule: Guideline
    earlier_text: str
    """The words that it had before; empty for none."""
    authors: tuple[str, ...]
    is_held_back: bool = False
    """True if people said it here after it was retired."""

    @property
    def deciders(self) -> tuple[str, ...]:
        """The people whose decision on it the status tells."""
        decisions = (self.rule.edited_by, self.rule.retired_by)
        return tuple(decision.person for decision in decisions if decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBackRule:
    """A guideline that this thread had led to, and does no longer."""

    text: str
    cause: TakenBack
    people: tuple[str, ...]
    """Those who are the cause."""
    was_up: bool
    """True if their vote had been a 👍."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadStatus:
    """The present state of a card's thread."""

    judge: str
    verdict: Label
    answers: tuple[PersonAnswer, ...] = ()
    """Oldest first."""
    label: Label | None = None
    """The label that the memory holds; None where it holds no case."""
    reasons: tuple[TypedReason, ...] = ()
    rules: tuple[TaughtRule, ...] = ()
    doubted: tuple[Guideline, ...] = ()
    """Guidelines behind the verdict that people's votes left in doubt, beside `rules`."""
    taken_back: tuple[TakenBackRule, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    is_reading: bool = False
    """True while a reason waits for the reflection model."""
    is_declined: bool = False
    """True if the reflection model refuses to read the reasons."""
    is_rolled_back: bool = False
    """True if what people say here does not count, since somebody went back to an earlier version."""
    without_rule: tuple[str, ...] = ()
    """People whose reasons were read and gave no rule."""
    asks_value: bool = False
    """True if somebody says that the verdict is wrong, and the right value is not known."""
    choices: tuple[Label, ...] = ()
    """Values to choose the right one from; none where it has to be typed."""
    asks_why: bool = False
    """True if nobody has said why the label is not the verdict."""
    answers_reply: bool = False
    """True if somebody says a value in the thread, and is not to be met with silence."""
    reads_guidelines: bool = True
    """False for a judge without a language model, whose verdicts follow from cases alone."""

    @property
    def votes(self) -> tuple[PersonAnswer, ...]:
        """The answers that count."""
        return tuple(answer for answer in self.answers if answer.value is not None)

    @property
    def sides(self) -> tuple[tuple[Label, tuple[str, ...]], ...]:
        """Each value that people give, with those who give it; most people first."""
        values = dict.fromkeys(vote.value for vote in self.votes if vote.value is not None)
        sides = [
            (value, tuple(vote.person for vote in self.votes if vote.value == value)) for value in values
        ]
        return tuple(sorted(sides, key=lambda side: -len(side[1])))

    @property
    def is_split(self) -> bool:
        """True if people give different values."""
        return len(self.sides) > 1

    @property
    def is_tie(self) -> bool:
        """True if no value has more people than each other one."""
        return self.is_split and len(self.sides[0][1]) == len(self.sides[1][1])

    @property
    def people(self) -> Sequence[str]:
        """All people whom it names."""
        named = [answer.person for answer in self.answers]
        named += [reason.person for reason in self.reasons]
        named += self.without_rule
        for taught in self.rules:
            named += [*taught.authors, *taught.deciders]
        for gone in self.taken_back:
            named += gone.people
        return tuple(dict.fromkeys(named))

    @property
    def is_worth_a_message(self) -> bool:
        """True if somebody replied, or if there is more to say than that people agree with the verdict."""
        return bool(
            self.is_split
            or self.reasons
            or self.rules
            or self.doubted
            or self.taken_back
            or self.refusals
            or self.is_reading
            or self.is_declined
            or self.without_rule
            or self.asks_value
            or self.asks_why
            or self.answers_reply
            or any(answer.value != self.verdict for answer in self.answers if not answer.is_unsure)
        )

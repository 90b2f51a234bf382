"""The words in which `local:/cases` tells a person why it decided as it did."""

from collections.abc import Mapping, Sequence

from memalign.models.local.features import Features
from memalign.models.local.linear_model import Answer, Reason
from memalign.records import Label

_SAID: Mapping[str, tuple[str, str, str]] = {
    # kind: (family, what little of it means, what much of it means)
    "length": ("length", "{made} is short", "{made} is long"),
    "variety": ("variety", "{made} often repeats its own words", "{made} seldom repeats its own words"),
    "long words": ("long words", "{made} uses short words", "{made} uses long words"),
    "denial": ("denial", "{made} seldom says no or not", "{made} often says no or not"),
    "covered": ("covered", "{made} takes up few words of {given}", "{made} takes up many words of {given}"),
    "touched": ("covered", "{made} leaves much of {given} untouched", "{made} touches most of {given}"),
    "borrowed": (
        "borrowed",
        "{made} has few of its words from {given}",
        "{made} has many of its words from {given}",
    ),
    "phrases": ("borrowed", "{made} shares few phrases with {given}", "{made} shares phrases with {given}"),
    "supported": (
        "borrowed",
        "{made} says much that has no counterpart in {given}",
        "{made} says little that has no counterpart in {given}",
    ),
    "to the point": (
        "to the point",
        "{made} never comes very close to {given} in meaning",
        "{made} comes close to {given} in meaning",
    ),
}
_NOTHING = (
    "No language model judged this: a small statistical model does, which learns from labelled cases, and "
    "there is none yet. The value {value} is a placeholder, not a judgement; the first labelled cases will "
    "change that."
)
_WHO = "No language model judged this, only a small statistical model fitted to {count} labelled cases."
_TOO_FEW = (
    "No language model judged this, and {cases} too few to fit even the small statistical model that does. "
    "So it says what most of them say, {value}: {ids}."
)
_ALL_ALIKE = (
    "No language model judged this, only a small statistical model. All {count} labelled cases say {value}, "
    "so it cannot tell yet what would speak against it. The most similar are {ids}."
)
_ALL_DIFFERENT = (
    "No language model judged this, only a small statistical model. Hardly any of the {count} labelled cases "
    "share a label, so it gives the label of the most similar one, {ids}."
)


def placeholder(value: Label) -> str:
    """Say that nothing has been learned, so that nobody takes the value for a judgement."""
    return _NOTHING.format(value=spell(value))


def too_few(value: Label, count: int, trace_ids: Sequence[str]) -> str:
    """Say why the majority answers."""
    cases = "the 1 labelled case is" if count == 1 else f"the {count} labelled cases are"
    return _TOO_FEW.format(cases=cases, value=spell(value), ids=listed(trace_ids))


def all_alike(value: Label, count: int, trace_ids: Sequence[str]) -> str:
    """Say that there is only one label so far."""
    return _ALL_ALIKE.format(count=count, value=spell(value), ids=listed(trace_ids))


def all_different(count: int, trace_ids: Sequence[str]) -> str:
    """Say why the nearest case answers alone."""
    return _ALL_DIFFERENT.format(count=count, ids=listed(trace_ids))


def fitted(answer: Answer, features: Features, count: int) -> str:
    """Say what of the trace decided, and which cases weighed most."""
    value = spell(answer.value)
    reasons = _reasons(answer, features)
    why = (
        f"Compared with them, {' and '.join(reasons)}, which speaks for {value}"
        if reasons
        else f"Nothing about this one stands out, and it leans towards {value}"
    )
    close = "; it was a close call." if answer.close else "."
    named = f" Of the cases, {listed(answer.trace_ids)} weighed most." if answer.trace_ids else ""
    return f"{_WHO.format(count=count)} {why}{close}{named}"


def spell(value: Label) -> str:
    """Write a label as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _reasons(answer: Answer, features: Features) -> list[str]:
    """Name the two strongest families of traits; within one, what speaks for and against is set off first."""
    support: dict[str, float] = {"wording": answer.wording}
    said = {"wording": ("", f"its wording resembles cases labelled {spell(answer.value)}")}
    for reason in answer.reasons:
        family = _SAID[reason.trait.kind][0]
        support[family] = support.get(family, 0.0) + reason.support
        said.setdefault(family, _phrase(reason, features))
    total = sum(value for value in support.values() if value > 0)
    strongest = sorted(support, key=lambda family: -support[family])[:2]
    phrases = [said[family] for family in strongest if support[family] > 0.1 * total]
    if len(phrases) == 2 and phrases[0][0] and phrases[0][0] == phrases[1][0]:
        made, second = phrases[1]
        return [phrases[0][1], "it" + second.removeprefix(made)]
    return [phrase for _, phrase in phrases]


def _phrase(reason: Reason, features: Features) -> tuple[str, str]:
    little, much = _SAID[reason.trait.kind][1:]
    made = _the(reason.trait.made or features.made)
    given = _the(reason.trait.given or features.given)
    return made, (much if reason.much else little).format(made=made, given=given)


def _the(part: str) -> str:
    """Name a part: "the question", but "answer 2"."""
    return part if part[-1:].isdigit() else f"the {part}"

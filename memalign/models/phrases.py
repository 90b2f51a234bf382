"""The words in which `local:/cases` tells a person why it decided as it did."""

from collections.abc import Sequence

from memalign.models.features import Features, Trait
from memalign.models.fit import Answer
from memalign.records import Label

_SAID = {
    # kind: (family, what little of it means, what much of it means)
    "length": ("length", "the {made} is short", "the {made} is long"),
    "variety": (
        "variety",
        "the {made} often repeats its own words",
        "the {made} seldom repeats its own words",
    ),
    "long words": ("long words", "the {made} uses short words", "the {made} uses long words"),
    "denial": ("denial", "the {made} seldom says no or not", "the {made} often says no or not"),
    "covered": (
        "covered",
        "the {made} takes up few words of the {given}",
        "the {made} takes up many words of the {given}",
    ),
    "touched": (
        "covered",
        "the {made} leaves much of the {given} untouched",
        "the {made} touches most of what is in the {given}",
    ),
    "borrowed": (
        "borrowed",
        "few words of the {made} come from the {given}",
        "many words of the {made} come from the {given}",
    ),
    "phrases": (
        "borrowed",
        "the {made} has few phrases of the {given}",
        "the {made} has many phrases of the {given}",
    ),
    "supported": (
        "borrowed",
        "much of the {made} has no counterpart in the {given}",
        "most of the {made} has a counterpart in the {given}",
    ),
    "to the point": (
        "to the point",
        "no sentence of the {made} comes very close to the {given} in meaning",
        "a sentence of the {made} comes close to the {given} in meaning",
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
    shares: dict[str, float] = {}
    said: dict[str, str] = {}
    for trait, share in answer.traits:
        family = _SAID[trait.kind][0]
        shares[family] = shares.get(family, 0.0) + abs(share)
        said.setdefault(family, _phrase(trait, share, features))
    shares["wording"] = answer.wording
    said["wording"] = f"its wording resembles cases labelled {spell(answer.value)}"
    strongest = sorted(shares, key=lambda family: -shares[family])[:2]
    total = sum(shares.values())
    return [said[family] for family in strongest if shares[family] > 0.1 * total]


def _phrase(trait: Trait, share: float, features: Features) -> str:
    little, much = _SAID[trait.kind][1:]
    return (much if share > 0 else little).format(
        made=trait.made or features.made, given=trait.given or features.given
    )

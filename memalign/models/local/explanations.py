"""Explanations in words of how `local:/cases` came to its value."""

from collections.abc import Mapping
from typing import NamedTuple

from memalign.models.local.features import COMPARISONS, Features
from memalign.models.local.linear_model import Contribution, Prediction
from memalign.records import Label


class _Wording(NamedTuple):
    """Words for one kind of feature; `{output}` and `{input}` stand for the names of parts."""

    family: str
    """Features of one family say much the same, so that an explanation names one of them."""
    little: str
    much: str


_WORDINGS: Mapping[str, _Wording] = {
    "length": _Wording("length", "{output} is short", "{output} is long"),
    "variety": _Wording(
        "variety", "{output} often repeats its own words", "{output} seldom repeats its own words"
    ),
    "long words": _Wording("long words", "{output} uses short words", "{output} uses long words"),
    "denial": _Wording("denial", "{output} seldom says no or not", "{output} often says no or not"),
    "covered": _Wording(
        "covered", "{output} takes up few words of {input}", "{output} takes up many words of {input}"
    ),
    "touched": _Wording(
        "covered", "{output} leaves much of {input} untouched", "{output} touches most of {input}"
    ),
    "borrowed": _Wording(
        "borrowed",
        "{output} has few of its words from {input}",
        "{output} has many of its words from {input}",
    ),
    "phrases": _Wording(
        "borrowed", "{output} shares few phrases with {input}", "{output} shares phrases with {input}"
    ),
    "supported": _Wording(
        "borrowed",
        "{output} says much that has no counterpart in {input}",
        "{output} says little that has no counterpart in {input}",
    ),
    "to the point": _Wording(
        "to the point",
        "{output} never comes very close to {input} in meaning",
        "{output} comes close to {input} in meaning",
    ),
    "meaning": _Wording(
        "to the point",
        "{output} is far from {input} in meaning",
        "{output} is close to {input} in meaning",
    ),
    "nearest sentence": _Wording(
        "to the point",
        "{output} has no sentence close to {input} in meaning",
        "{output} has a sentence close to {input} in meaning",
    ),
}
_MIN_SHARE_OF_SUPPORT = 0.1
"""Share of the support for a value below which a reason is not worth naming; set by hand, and words only."""
_SENTENCE_MODEL = "A small sentence model helped to compare the texts."
NO_LANGUAGE_MODEL = "(No language model judged this.)"
"""The end of every rationale."""
_NO_CASES = "Not judged yet: nobody has labelled a case, so “{value}” is only a placeholder."
_TOO_FEW = "Leans to “{value}”, as {number}; {count} too few to learn what tells them apart."
_ALL_ALIKE = "Leans to “{value}”: all {count} labelled cases say so, so nothing speaks against it yet."
_ALL_DIFFERENT = (
    "Leans to “{value}” like the most similar case: of {count} labelled cases, hardly any share a label."
)


def explain_placeholder(value: Label) -> str:
    """Say that nothing has been learned, so that nobody takes the value for a judgement.

    Args:
        value: The placeholder.

    Returns:
        The rationale.
    """
    return _signed(_NO_CASES.format(value=spell(value)))


def explain_too_few(value: Label, agreeing: int, count: int) -> str:
    """Say that the majority answers.

    Args:
        value: The majority's label.
        agreeing: Number of labelled cases that have it.
        count: Number of labelled cases.

    Returns:
        The rationale.
    """
    if count == 1:
        number, cases = "the one labelled case says", "one is"
    else:
        number, cases = f"{agreeing} of {count} labelled cases say", f"{count} are"
    return _signed(_TOO_FEW.format(value=spell(value), number=number, count=cases))


def explain_all_alike(value: Label, count: int) -> str:
    """Say that there is only one label so far.

    Args:
        value: That label.
        count: Number of labelled cases.

    Returns:
        The rationale.
    """
    return _signed(_ALL_ALIKE.format(count=count, value=spell(value)))


def explain_all_different(value: Label, count: int) -> str:
    """Say that the most similar case answers alone.

    Args:
        value: Its label.
        count: Number of labelled cases.

    Returns:
        The rationale.
    """
    return _signed(_ALL_DIFFERENT.format(value=spell(value), count=count))


def explain_prediction(prediction: Prediction, features: Features, count: int) -> str:
    """Say which features of the trace decided.

    Args:
        prediction: The model's.
        features: The trace's.
        count: Number of labelled cases.

    Returns:
        The rationale.
    """
    reasons = _reasons(prediction, features)
    why = " and ".join(reasons) if reasons else "nothing about this one stands out"
    close = ", but it was a close call" if prediction.close else ""
    lean = f"Leans to “{spell(prediction.value)}”, by {count} labelled cases: {why}{close}."
    compared = any(each.feature.kind in COMPARISONS for each in prediction.contributions)
    return _signed(f"{lean} {_SENTENCE_MODEL}" if compared else lean)


def _signed(rationale: str) -> str:
    return f"{rationale} {NO_LANGUAGE_MODEL}"


def spell(value: Label) -> str:
    """Write a label as people say it.

    Args:
        value: The label.

    Returns:
        Pass or fail for a truth value; else the label.
    """
    if isinstance(value, bool):
        return "pass" if value else "fail"
    return str(value)


def _reasons(prediction: Prediction, features: Features) -> list[str]:
    """Name the two strongest families of features; within one, what speaks for and against is set off first."""
    support: dict[str, float] = {"wording": prediction.wording}
    phrases = {"wording": ("", f"its wording resembles cases labelled {spell(prediction.value)}")}
    for contribution in prediction.contributions:
        family = _WORDINGS[contribution.feature.kind].family
        support[family] = support.get(family, 0.0) + contribution.support
        phrases.setdefault(family, _phrase(contribution, features))
    total = sum(value for value in support.values() if value > 0)
    strongest = sorted(support, key=lambda family: -support[family])[:2]
    reasons = [phrases[family] for family in strongest if support[family] > _MIN_SHARE_OF_SUPPORT * total]
    if len(reasons) == 2 and reasons[0][0] and reasons[0][0] == reasons[1][0]:
        output, second = reasons[1]
        return [reasons[0][1], "it" + second.removeprefix(output)]
    return [reason for _, reason in reasons]


def _phrase(contribution: Contribution, features: Features) -> tuple[str, str]:
    """Return the name of the part of the output, and the phrase about it."""
    feature, wording = contribution.feature, _WORDINGS[contribution.feature.kind]
    output_part = _with_article(feature.output_part or features.output_name)
    input_part = _with_article(feature.input_part or features.input_name)
    form = wording.much if contribution.much else wording.little
    return output_part, form.format(output=output_part, input=input_part)


def _with_article(part: str) -> str:
    """Name a part: "the question", but "answer 2"."""
    return part if part[-1:].isdigit() else f"the {part}"

"""Explanations in words of how `local:/cases` came to its value."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memalign.models.local.features import Features
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
}
_MIN_SHARE_OF_SUPPORT = 0.1
"""Share of the support for a value below which a reason is not worth naming; set by hand, and words only."""
_NO_CASES = (
    "No language model judged this: a small statistical model does, which learns from labelled cases, and "
    "there is none yet. The value {value} is a placeholder, not a judgement; the first labelled cases will "
    "change that."
)
_FITTED = "No language model judged this, only a small statistical model fitted to {count} labelled cases."
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


def explain_placeholder(value: Label) -> str:
    """Say that nothing has been learned, so that nobody takes the value for a judgement.

    Args:
        value: The placeholder.

    Returns:
        The rationale.
    """
    return _NO_CASES.format(value=spell(value))


def explain_too_few(value: Label, count: int, trace_ids: Sequence[str]) -> str:
    """Say that the majority answers.

    Args:
        value: The majority's label.
        count: Number of labelled cases.
        trace_ids: Most similar cases with that label; at least one.

    Returns:
        The rationale.
    """
    cases = "the 1 labelled case is" if count == 1 else f"the {count} labelled cases are"
    return _TOO_FEW.format(cases=cases, value=spell(value), ids=join_names(trace_ids))


def explain_all_alike(value: Label, count: int, trace_ids: Sequence[str]) -> str:
    """Say that there is only one label so far.

    Args:
        value: That label.
        count: Number of labelled cases.
        trace_ids: Most similar cases; at least one.

    Returns:
        The rationale.
    """
    return _ALL_ALIKE.format(count=count, value=spell(value), ids=join_names(trace_ids))


def explain_all_different(count: int, trace_ids: Sequence[str]) -> str:
    """Say that the most similar case answers alone.

    Args:
        count: Number of labelled cases.
        trace_ids: The most similar case.

    Returns:
        The rationale.
    """
    return _ALL_DIFFERENT.format(count=count, ids=join_names(trace_ids))


def explain_prediction(prediction: Prediction, features: Features, count: int) -> str:
    """Say which features of the trace decided, and which cases weighed most.

    Args:
        prediction: The model's.
        features: The trace's.
        count: Number of labelled cases.

    Returns:
        The rationale.
    """
    value = spell(prediction.value)
    reasons = _reasons(prediction, features)
    why = (
        f"Compared with them, {' and '.join(reasons)}, which speaks for {value}"
        if reasons
        else f"Nothing about this one stands out, and it leans towards {value}"
    )
    close = "; it was a close call." if prediction.close else "."
    ids = prediction.trace_ids
    cases = f" Of the cases, {join_names(ids)} weighed most." if ids else ""
    return f"{_FITTED.format(count=count)} {why}{close}{cases}"


def spell(value: Label) -> str:
    """Write a label as people write it.

    Args:
        value: The label.

    Returns:
        The label; true and false in lower case.
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def join_names(names: Sequence[str]) -> str:
    """Join names as in a sentence.

    Args:
        names: At least one.

    Returns:
        The names with commas and a last "and".
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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

"""Reading of labels: what a model, a person, a file or another tool wrote, into the judge's own spelling.

What leaves a doubt is not read.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from numbers import Number
from typing import NamedTuple, TypeAlias

from memalign.number_text import finite, read_number
from memalign.records import Json, Label
from memalign.surrogates import replace_surrogates
from memalign.text_folding import fold, narrow, strip_marks, unquote
from memalign.truth_words import CLEAR_NO, CLEAR_YES, truth_of

Reader: TypeAlias = Callable[[Json], Label | None]
"""Reads a value that is nothing but a label; None for anything else."""

MAX_LABEL_CHARACTERS = 200
"""Of a text, searched for a label with a reason after it."""
_PREFIX = re.compile(
    r"^[\s*_#>\"'`]*(?:(?:final|my|the)\s+)?(?:answer|verdict|value|rating|score|label|result|grade|judge?ment"
    r"|category|class|choice|antwort|urteil|wert|bewertung|note|ergebnis|kategorie)[*_\"'`]*\s*[:=：][*_]*\s*",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"[*_\"”’'`“»]*(?:\s*(?::(?!\d|//)|：|[—–](?!\s*\d)|\n)|\s+-+\s+(?!\d)"
    r"|,?\s+(?=(?:because|since|weil|denn|da|parce que|porque|puisque)\b))"
)
"""Ends a label before its reason, also in a reply of a person; `4:30` and `3–4` hold none."""
_WEAK = re.compile(r"[*_]*(?:[,;，；、](?!\s*\d)|[.!…](?=\s)|[。！]|\s*(?=[（])|\s+(?=\())")
"""Ends a clear yes or no before its reason."""
_AFTER_NUMBER = re.compile(r"[*_]*\s*(?=[（(])")
"""Ends a number before its reason; `4, thanks` and `1. First` are no labels."""
_ALTERNATIVE = re.compile(r"\W*(?:or|oder|and|und|to|bis)\b", re.IGNORECASE)
_HEDGES = re.compile(
    r"\W*(?:but|however|though|although|maybe|perhaps|possibly|mostly|partly|not|if|unless|actually|wait|aber|"
    r"vielleicht|teilweise|nicht|wenn)\b",
    re.IGNORECASE,
)


class LabelledText(NamedTuple):
    """A text that begins with a label."""

    label: Label
    reason: str
    """The rest of it."""


def plain_value(value: Json) -> Json:
    """Take a value out of the number types of other libraries.

    Args:
        value: A label as JSON, pandas or numpy have it.

    Returns:
        The value as bool, int, float or text; None where it is a number that is not finite.
    """
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", 0) == 0:
        value = item()
    if isinstance(value, Number) and not isinstance(value, bool | int | float | complex):
        value = float(value)  # type: ignore[arg-type]  # Decimal and Fraction
    if isinstance(value, int | float) and not isinstance(value, bool):
        return finite(value)
    return replace_surrogates(value) if isinstance(value, str) else value


def split_label(text: str, read: Reader) -> LabelledText | None:
    """Read a label and the reason after it: `4: curt`, `4 because it is curt`, `gut：höflich`.

    Args:
        text: The text.
        read: Reads a label of the judge's type.

    Returns:
        The label and the reason; None where the text does not begin with one label beyond doubt.
    """
    for whole in (text, _PREFIX.sub("", text, count=1)):
        if (label := read(whole)) is not None:
            return LabelledText(label, "")
        for head, reason in _parts(whole, _STRONG):
            label = read(head)
            if label is not None and not _ALTERNATIVE.match(reason):
                return LabelledText(label, reason)
    return None


def split_truth(text: str) -> LabelledText | None:
    """Read a clear yes or no, and the reason after it: `No, it is rude.`

    Args:
        text: The text.

    Returns:
        The truth value and the reason; None where the reason takes something of it back.
    """
    for head, reason in _parts(_PREFIX.sub("", text, count=1), _WEAK):
        word = fold(strip_marks(head))
        if word not in CLEAR_YES | CLEAR_NO or _ALTERNATIVE.match(reason) or _HEDGES.match(reason):
            return None
        words = set(re.findall(r"\w+", reason.casefold()))
        return None if words & (CLEAR_YES | CLEAR_NO) else LabelledText(word in CLEAR_YES, reason)
    return None


def split_number(text: str, read: Reader) -> LabelledText | None:
    """Read a number, and the reason after it: `4 (curt)`, `４（短い）`.

    Args:
        text: The text.
        read: Reads a label of the judge's type.

    Returns:
        The number and the reason; None where the reason takes something of it back, or holds a number.
    """
    head, reason = next(_parts(_PREFIX.sub("", text, count=1), _AFTER_NUMBER), ("", ""))
    is_clear = not (_ALTERNATIVE.match(reason) or _HEDGES.match(reason) or re.search(r"\d", reason))
    label = read(head) if is_clear and read_number(head) is not None else None
    return None if label is None else LabelledText(label, reason)


def read_bool(value: Json) -> Label | None:
    """Read a truth value.

    Args:
        value: A bool, the numbers 1 and 0, or a word for one.

    Returns:
        The truth value; None for anything else.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = truth_of(fold(strip_marks(value)))
        return _truth_of_number(read_number(value)) if word is None else word
    return _truth_of_number(value) if isinstance(value, int | float) else None


def read_float(value: Json, scale_end: float | None) -> Label | None:
    """Read a number.

    Args:
        value: A number, or a text that is one.
        scale_end: The highest label; None where there is none.

    Returns:
        The number; None for anything else.
    """
    number = _number(value, scale_end)
    # adding 0.0 makes -0.0 the same label as 0.0
    return None if number is None else float(number) + 0.0


def read_int(value: Json, scale_end: float | None) -> Label | None:
    """Read a whole number, also from 4.0.

    Args:
        value: A number, or a text that is one.
        scale_end: The highest label; None where there is none.

    Returns:
        The number; None for anything else.
    """
    number = _number(value, scale_end)
    return int(number) if number is not None and float(number).is_integer() else None


def read_text(value: Json) -> Label | None:
    """Read a free text.

    Args:
        value: A text, with or without quotation marks around it; other JSON is written as a text.

    Returns:
        The text; None where it is empty.
    """
    if value is None:
        return None
    text = unquote(fold_accents(value)) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text or None


def fold_accents(text: str) -> str:
    """Compose accents, and take off the blanks around a text.

    Args:
        text: Any text.

    Returns:
        The text in NFC.
    """
    return unicodedata.normalize("NFC", text).strip()


def read_category(value: Json, categories: Sequence[Label]) -> Label | None:
    """Read one of the categories.

    Args:
        value: A category in any letter case and spelling of accents, or a number of the same value.
        categories: The judge's.

    Returns:
        The category in its own spelling; None where the value is none of them, or could be two.
    """
    if isinstance(value, bool):
        truths = {read_bool(each): each for each in categories if isinstance(each, bool | str)}
        return truths[value] if set(truths) == {True, False} and len(categories) == 2 else None
    if isinstance(value, str):
        for spelling in (fold, _bare, _loose):
            matches = [each for each in categories if spelling(str(each)) == spelling(value)]
            if matches:
                return matches[0] if len(matches) == 1 else None
    return _read_numeric_category(value, categories)


def _read_numeric_category(value: Json, categories: Sequence[Label]) -> Label | None:
    numbers = {each: number for each in categories if (number := _number(each, None)) is not None}
    if len(numbers) < len(categories):
        return None
    number = _number(value, max(numbers.values()))
    return None if number is None else _only(each for each in categories if numbers[each] == number)


def _parts(text: str, separator: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for match in separator.finditer(text[:MAX_LABEL_CHARACTERS]):
        yield text[: match.start()], text[match.end() :].strip()


def _number(value: Json, scale_end: float | None) -> float | None:
    if isinstance(value, str):
        return read_number(value, scale_end)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truth_of_number(number: float | None) -> bool | None:
    return bool(number) if number in (0, 1) else None


def _only(matches: Iterator[Label]) -> Label | None:
    labels = list(matches)
    return labels[0] if len(labels) == 1 else None


def _bare(text: str) -> str:
    return fold(strip_marks(narrow(text)))


def _loose(text: str) -> str:
    return fold(re.sub(r"[\s_-]+", " ", strip_marks(narrow(text))))

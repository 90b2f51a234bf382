"""One spelling of texts that mean the same: widths, digits, accents, letter case, and the marks around a word."""

import unicodedata

MARKS = "\"'`´“”„‟‚‘’‛«»‹›「」『』*_()[]（）［］【】〔〕"
"""Quotation marks, brackets and marks of emphasis, which people and models put around a word."""
_ENDS = ".,;:!。、…"
"""Punctuation that may follow a word without changing its meaning; a question mark does."""
_NARROWED = ("<wide>", "<narrow>")
_QUOTE_PAIRS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "“": "”",
    "„": "“”‟",
    "‚": "‘’",
    "‘": "’",
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "『": "』",
}


def fold(text: str) -> str:
    """Fold what makes no difference between two labels.

    Args:
        text: Any text.

    Returns:
        The text in NFKC (composed accents, usual widths), in lower case, with single blanks, and without characters
        that nobody sees.
    """
    return " ".join(unicodedata.normalize("NFKC", without_invisible(text)).casefold().split())


def without_invisible(text: str) -> str:
    """Take out what has no width: marks of direction, joiners, byte order marks (Unicode's category Cf).

    Args:
        text: Any text.

    Returns:
        The text.
    """
    return text if text.isascii() else "".join(each for each in text if unicodedata.category(each) != "Cf")


def strip_marks(text: str) -> str:
    """Take off the marks around a text, and the punctuation after it.

    Args:
        text: Any text.

    Returns:
        The text without them; what stands at its beginning besides marks, such as a sign or a point, is kept.
    """
    return without_invisible(text).strip().lstrip(MARKS + " ").rstrip(MARKS + _ENDS + " ")


def unquote(text: str) -> str:
    """Take off one pair of quotation marks around a whole text.

    Args:
        text: Any text.

    Returns:
        The text without blanks and the pair around it; the text itself where the marks are no pair.
    """
    text = text.strip()
    if len(text) < 2 or text[-1] not in _QUOTE_PAIRS.get(text[0], ""):
        return text
    inner = text[1:-1]
    return text if text[0] in inner or text[-1] in inner else inner.strip()


def narrow(text: str) -> str:
    """Write full-width characters and the digits of all scripts in their usual form.

    Superscripts stay as they are, since 5² is not 52, which rules out NFKC.

    Args:
        text: Any text.

    Returns:
        The text, with a hyphen for the minus sign.
    """
    return "".join(map(_narrowed, text))


def _narrowed(character: str) -> str:
    if character == "−":
        return "-"
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    if unicodedata.decomposition(character).startswith(_NARROWED):
        return unicodedata.normalize("NFKC", character)
    return character

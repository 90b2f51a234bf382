"""Text in a form that tokenizers take."""


def encodable(text: str) -> str:
    """Replace what cannot be encoded: JSON may carry half a surrogate pair, which tokenizers refuse.

    Args:
        text: Any text.

    Returns:
        The text, with a question mark for each half of a pair.
    """
    return text.encode("utf-8", "replace").decode("utf-8")

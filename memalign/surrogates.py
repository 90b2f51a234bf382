"""Half surrogate pairs: JSON can say them (`"\\ud83d"`, half an emoji), UTF-8 cannot."""

import re

from memalign.records import Json

_HALF = re.compile("[\ud800-\udfff]")


def replace_surrogates(value: Json) -> Json:
    """Put U+FFFD, the replacement character, for each half surrogate pair. To be called where texts come in.

    Args:
        value: A text, or any JSON, in whose names and texts they are replaced.

    Returns:
        The value; the same object where it is a text without any.
    """
    if isinstance(value, str):
        if not _HALF.search(value):
            return value
        # two halves that belong together are one character, said in two escapes
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {replace_surrogates(name): replace_surrogates(item) for name, item in value.items()}
    return [replace_surrogates(item) for item in value] if isinstance(value, list) else value

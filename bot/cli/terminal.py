"""Lines on standard output, with no character in them that a terminal obeys."""

import json

from bot.visible_text import escape_json, visible_with_isolates
from memalign.records import Json

RUN_AGAIN = "deal with them, and run the same command again."
"""End of a sentence on what a command could not do."""


def print_text(text: str) -> None:
    """Print a text of one or more lines, at once."""
    print(visible_with_isolates(text), flush=True)


def json_line(document: Json) -> str:
    """Return a document as one line of JSON; control characters in it are escaped, so that the data stay exact."""
    return escape_json(json.dumps(document, ensure_ascii=False))

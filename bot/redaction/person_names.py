"""Names of people, by a spaCy pipeline; an extra, imported only where the settings name a pipeline."""

import importlib
from collections.abc import Callable
from typing import Any

from bot.redaction.markers import NAME, replace_between_markers
from memalign.errors import SettingsError

PERSON_LABELS = frozenset({"PER", "PERSON"})
"""The label is PER in pipelines trained on WikiNER, PERSON in those trained on OntoNotes."""
UNUSED_PARTS = ("parser", "lemmatizer", "attribute_ruler", "morphologizer")


class PersonNames:
    """Finds names by a pipeline's entity recogniser."""

    def __init__(self, pipeline: str) -> None:
        """Load the pipeline. Raises `SettingsError` if spaCy or the pipeline is not installed."""
        self._recognise = _load(pipeline)

    def redact(self, text: str) -> str:
        """Return the text with `[name]` for each name of a person."""
        return replace_between_markers(text, self._redact_piece)

    def _redact_piece(self, text: str) -> str:
        if not any(sign.isalpha() for sign in text):
            return text
        pieces, end = [], 0
        for entity in self._recognise(text).ents:
            if entity.label_ in PERSON_LABELS:
                pieces += [text[end : entity.start_char], NAME]
                end = entity.end_char
        return "".join((*pieces, text[end:]))


def _load(pipeline: str) -> Callable[[str], Any]:
    try:
        spacy = importlib.import_module("spacy")
        recognise: Callable[[str], Any] = spacy.load(pipeline, exclude=UNUSED_PARTS)
    except ImportError:
        raise SettingsError(
            "[redaction] names needs spaCy: install it with pip install 'memalign[names]', or remove the key."
        ) from None
    except OSError:
        raise SettingsError(
            f'[redaction] names is "{pipeline}", which spaCy cannot load: install it with '
            f"python -m spacy download {pipeline}, or name another pipeline."
        ) from None
    return recognise

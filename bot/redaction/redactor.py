"""Redaction of what comes in: traces, and people's words. It stands before the store, so nothing leaves unredacted."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from bot.config import RedactionSettings
from bot.redaction.field_paths import FieldPaths, Path
from bot.redaction.json_text import is_json_text, replace_in_json_text
from bot.redaction.markers import MARKER, REMOVED
from bot.redaction.own_patterns import OwnPatterns
from bot.redaction.person_names import PersonNames
from bot.redaction.text import Detector, TextRedactor
from memalign.records import Json, Trace
from storage.records import FeedbackEvent

AMPERSAND = "\ue000"
"""Stands for an escaped ampersand for a moment; a character that Unicode keeps for private use."""
REDACTED_NAMES_KEPT, LONGEST_NAME_KEPT = 4096, 100
"""Names of fields, and characters of one, for which redaction remembers what stands for them."""
MIN_NUMBER = 1_000_000
"""Smaller numbers are neither phone nor card numbers."""


class Redactor:
    """Takes personal data and secrets out of traces and people's words, as `[redaction]` says."""

    def __init__(self, settings: RedactionSettings) -> None:
        """Make ready what the settings name. Raises `SettingsError` if the extra for names is missing."""
        self._settings = settings
        further: list[Detector] = [OwnPatterns(settings.patterns).redact]
        if settings.names and settings.enabled:
            further.append(PersonNames(settings.names).redact)
        self._text = TextRedactor(further)
        # spans have the same names over and over
        self._name_redaction = lru_cache(REDACTED_NAMES_KEPT)(self._text.redact)
        self._kept, self._dropped = FieldPaths(settings.keep_fields), FieldPaths(settings.drop_fields)

    def trace(self, trace: Trace) -> Trace:
        """Return the trace as it may be stored and shown; its id stays as it is."""
        if not self._settings.enabled:
            return trace
        dropped = self.is_dropped
        return replace(
            trace,
            inputs=self._value(trace.inputs, ("inputs",)),
            outputs=self._value(trace.outputs, ("outputs",)),
            expectations=self._value(trace.expectations, ("expectations",)),
            conversation=self._value(trace.conversation, ("conversation",)),
            spans=() if dropped(("spans",)) else tuple(self._value(list(trace.spans), ("spans",))),
            metadata={} if dropped(("metadata",)) else self._value(dict(trace.metadata), ("metadata",)),
            url=None if dropped(("url",)) else trace.url and self._url(trace.url),
            error=trace.error and self.words(trace.error),
            assessments=tuple(
                replace(each, rationale=each.rationale and self.words(each.rationale))
                for each in trace.assessments
            ),
        )

    def words(self, text: str) -> str:
        """Return a person's words as they may be stored and shown."""
        return self._text.redact(text) if self._settings.enabled else text

    def event(self, event: FeedbackEvent) -> FeedbackEvent:
        """Return what a person did, with the words in it as they may be stored."""
        if event.kind not in ("reply", "correction") or not isinstance(event.value, str):
            return event
        # Slack escapes an ampersand, which would end a password in the middle
        words = self.words(event.value.replace("&amp;", AMPERSAND))
        return replace(event, value=words.replace(AMPERSAND, "&amp;"))

    # --- the parts of a value, see `bot.redaction.json_text.Replacement`

    def is_dropped(self, path: Path) -> bool:
        """Return whether the settings leave a value out whole."""
        return path in self._dropped

    def scalar(self, value: Json, path: Path) -> Json:
        """Return what stands for a text, a number or a truth value."""
        if path in self._dropped:
            return REMOVED if value is not None else None
        if path in self._kept:
            return value
        if isinstance(value, str):
            if is_json_text(value):
                return replace_in_json_text(value, path, self)
            return self._text.redact(value, _name(path))
        if isinstance(value, int) and abs(value) >= MIN_NUMBER:
            text = self._text.redact(str(value), _name(path))
            return value if text == str(value) else text
        return value

    def name(self, name: str) -> str:
        """Return what stands for the name of a field."""
        return self._name_redaction(name) if len(name) <= LONGEST_NAME_KEPT else self._text.redact(name)

    def _value(self, value: Json, path: Path) -> Json:
        if path in self._dropped:
            return REMOVED if value is not None else None
        if path in self._kept:
            return value
        if isinstance(value, Mapping):
            return self._object(value, path)
        if isinstance(value, list | tuple):
            return [self._value(inner, (*path, str(place))) for place, inner in enumerate(value)]
        return self.scalar(value, path)

    def _object(self, value: Mapping[str, Json], path: Path) -> dict[str, Json]:
        redacted: dict[str, Json] = {}
        for name, inner in value.items():
            shown = self.name(str(name))
            while shown in redacted:  # two addresses as names are two fields still
                shown += "'"
            redacted[shown] = self._value(inner, (*path, str(name)))
        return redacted

    def _url(self, url: str) -> str:
        """Return an address without credentials, and with markers in its path and query."""
        try:
            parts = urlsplit(url)
        except ValueError:  # such as an odd IPv6 address
            return quote(self._text.redact(url), safe=":/?#@!$&'()*+,;=%")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        shown = [(self.name(name), self._text.redact(value, name)) for name, value in pairs]
        query = parts.query if shown == pairs else urlencode(shown, quote_via=quote)
        return urlunsplit(
            parts._replace(
                netloc=parts.netloc.rpartition("@")[2],
                path=_in_url(self._text.redact(parts.path)),
                query=query,
                fragment=_in_url(self._text.redact(parts.fragment)),
            )
        )


def is_redacted(trace: Trace) -> bool:
    """Return whether a marker stands in a trace for something that was taken out."""
    fields = (
        trace.inputs,
        trace.outputs,
        trace.expectations,
        trace.conversation,
        list(trace.spans),
        trace.error,
    )
    return any(
        MARKER.search(json.dumps(field, ensure_ascii=False))
        for field in (*fields, dict(trace.metadata), unquote(trace.url or ""))
    )


def _in_url(text: str) -> str:
    return text.replace("[", "%5B").replace("]", "%5D").replace(" ", "%20")


def _name(path: Path) -> str:
    """Return the nearest name that leads to a value; list positions and markers name no field."""
    return MARKER.sub("", next((step for step in reversed(path) if not step.isdecimal()), ""))

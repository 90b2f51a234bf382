"""The words of `/memalign forget …`."""

import re
from dataclasses import dataclass

OPTION = r"(?:--|—|–)(?P<name>yes|person)"
"""An option; some keyboards turn two hyphens into a dash."""
LEADING_OPTION = re.compile(rf"\s*{OPTION}(?:\s|$)")
TRAILING_OPTION = re.compile(rf"(?:^|\s){OPTION}\s*$")
MENTION = re.compile(r"<?@?(?P<person>[UW][A-Z0-9]{2,})(?:\|[^>]*)?>?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCommand:
    """The text after `forget`, taken apart."""

    reference: str
    """The text without options; blanks inside are part of it."""
    options: frozenset[str] = frozenset()

    @property
    def is_confirmed(self) -> bool:
        """True if it is to be done without a preview."""
        return "yes" in self.options

    @property
    def is_for_person(self) -> bool:
        """True if the reference names a person."""
        return "person" in self.options

    @classmethod
    def readings(cls, text: str) -> "list[ForgetCommand]":
        """Take the options off both ends of the text, one after the other.

        Returns:
            The text with none taken off first, with all taken off last. An id may look like an option, so the
            first reading whose reference is an id is the one to go by.
        """
        readings = [cls(reference=text)]
        while option := _option_of(readings[-1].reference):
            last = readings[-1]
            reference = last.reference[: option.start()] + last.reference[option.end() :]
            readings.append(cls(reference=reference, options=last.options | {option["name"]}))
        return readings


def _option_of(text: str) -> re.Match[str] | None:
    return TRAILING_OPTION.search(text) or LEADING_OPTION.match(text)


def person_of(reference: str, asking: str) -> str | None:
    """Return the Slack id of the person meant.

    Args:
        reference: a mention, an id, or `me`.
        asking: who typed it.

    Returns:
        None when the reference names nobody.
    """
    word = reference.strip()
    if word.casefold() in {"me", "@me"}:
        return asking
    match = MENTION.fullmatch(word)
    return match["person"] if match else None

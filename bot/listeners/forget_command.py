"""The words of `/memalign forget …`."""

import re
from dataclasses import dataclass

OPTION = r"(?:--|—|–)(?P<name>yes|person)"
"""Some keyboards turn two hyphens into a dash."""
LEADING_OPTION = re.compile(rf"\s*{OPTION}(?:\s|$)")
TRAILING_OPTION = re.compile(rf"(?:^|\s){OPTION}\s*$")
MENTION = re.compile(r"<?@?(?P<person>[UW][A-Z0-9]{2,})(?:\|[^>]*)?>?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCommand:
    """What follows `forget`, read."""

    reference: str
    """What is left without options: blanks inside are part of it."""
    options: frozenset[str]

    @property
    def is_confirmed(self) -> bool:
        """True if it is to be done without a preview."""
        return "yes" in self.options

    @property
    def is_for_person(self) -> bool:
        """True if the reference names a person."""
        return "person" in self.options

    @classmethod
    def read(cls, text: str) -> "ForgetCommand":
        """Take the options off both ends of the text."""
        reference, options = text, set[str]()
        while option := LEADING_OPTION.match(reference) or TRAILING_OPTION.search(reference):
            options.add(option["name"])
            reference = reference[: option.start()] + reference[option.end() :]
        return cls(reference=reference, options=frozenset(options))

    @classmethod
    def of_id(cls, trace_id: str) -> "ForgetCommand":
        """Take the whole text for a trace's id."""
        return cls(reference=trace_id, options=frozenset())


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

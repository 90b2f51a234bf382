"""Past forgettings, from the audit log: what was forgotten, by whom and when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from bot.records import PastForgetting
from bot.runtime.clock import from_ms
from storage.records import AuditLine

FORGET_ACTIONS = ("forgotten", "person_forgotten")


def forgetting_lines(lines: Iterable[AuditLine]) -> list[AuditLine]:
    """Return those lines of the audit log that tell of a forgetting."""
    return [line for line in lines if line.what in FORGET_ACTIONS]


def people_in(lines: Iterable[AuditLine]) -> list[str]:
    """Return the ids of all whom such lines name: who asked, and whose words went."""
    return [person for line in lines for person in (line.person, *_subjects(line)) if person]


def past_forgettings(
    lines: Iterable[AuditLine], names: Mapping[str, str], zone: tzinfo
) -> Sequence[PastForgetting]:
    """Return the forgettings in the order of their lines, each once: a trace that several judges knew has many.

    Args:
        lines: lines that tell of a forgetting.
        names: the names of the people in them, by id.
        zone: the time zone of the times.
    """
    entries = (
        PastForgetting(
            at=from_ms(line.at_ms, zone),
            by=names[line.person] if line.person else None,
            trace_ids=() if line.what == "person_forgotten" else line.ids,
            people=tuple(names[person] for person in _subjects(line)),
        )
        for line in lines
    )
    return tuple(dict.fromkeys(entries))


def _subjects(line: AuditLine) -> tuple[str, ...]:
    return line.ids if line.what == "person_forgotten" else ()

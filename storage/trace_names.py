"""Names of one trace: tools make theirs of the id that OpenTelemetry gave it. Pure.

MLflow 3 puts `tr-` before its 32 hex digits, LangSmith writes them as a UUID, all others as they are. So a trace that
comes by two ways is known to be one.
"""

import re
from uuid import UUID

_HEX = re.compile(r"(?:tr-)?([0-9a-f]{32})")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def other_names(trace_id: str) -> tuple[str, ...]:
    """Return what tools call the same trace otherwise; nothing for an id that is none of OpenTelemetry's."""
    if found := _HEX.fullmatch(trace_id):
        digits = found[1]
    elif _UUID.fullmatch(trace_id):
        digits = trace_id.replace("-", "")
    else:
        return ()
    names = (digits, f"tr-{digits}", str(UUID(digits)))
    return tuple(name for name in names if name != trace_id)


def all_names(trace_id: str) -> tuple[str, ...]:
    """Return a trace's id, and what tools call the same trace otherwise."""
    return (trace_id, *other_names(trace_id))

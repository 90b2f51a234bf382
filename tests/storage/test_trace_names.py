"""Names of one trace: it is stored once, and forgotten for good, whichever of them it comes under."""

import pytest

from memalign.records import Trace
from storage.database import Database
from storage.records import TraceOrigin, UnsampledTrace
from storage.trace_names import other_names

HEX = "0af7651916cd43dd8448eb211c80319c"
MLFLOW, UUID = f"tr-{HEX}", "0af76519-16cd-43dd-8448-eb211c80319c"
NAMES = (HEX, MLFLOW, UUID)
NOW_MS = 1_800_000_000_000


def trace(trace_id: str) -> Trace:
    """A trace that can be judged."""
    return Trace(trace_id=trace_id, inputs="q", outputs="a")


@pytest.mark.parametrize("name", NAMES)
def test_each_name_leads_to_the_others(name: str) -> None:
    assert {name, *other_names(name)} == set(NAMES)


@pytest.mark.parametrize("name", ["tr-1", HEX.upper(), f"{HEX}0", f"tr-{UUID}", "", "tr-", f"x{HEX}"])
def test_an_id_that_is_none_of_opentelemetrys_has_no_other_name(name: str) -> None:
    assert other_names(name) == ()


@pytest.mark.parametrize("second", NAMES)
@pytest.mark.parametrize("first", NAMES)
async def test_a_trace_is_stored_under_the_name_it_came_by_first_and_forgotten_under_all(
    db: Database, first: str, second: str
) -> None:
    assert await db.traces.add([(trace(first), ["polite"])], NOW_MS, 10) == ["accepted"]
    assert await db.traces.add([(trace(second), ["polite"])], NOW_MS, 10) == ["duplicate"]
    origin = TraceOrigin(trace_id=second, connector="mlflow:0f", reference="root", read_ms=NOW_MS)
    assert await db.connectors.claim({second: origin}) == set()
    known = await db.connectors.origin(first)
    assert known is not None
    assert (known.trace_id, known.tool_trace_id) == (first, second)
    await db.forgetting.delete_traces([first])
    assert await db.traces.add([(trace(second), ["polite"])], NOW_MS, 10) == ["forgotten"]
    assert await db.connectors.claim({second: origin}) == set()
    assert await db.connectors.origin(second) is None


async def test_a_trace_that_was_left_out_is_left_out_under_all_names(db: Database) -> None:
    await db.traces.add([(UnsampledTrace(trace_id=HEX), [])], NOW_MS, 10)
    origin = TraceOrigin(trace_id=MLFLOW, connector="mlflow:0f", reference=MLFLOW, read_ms=NOW_MS)
    assert await db.connectors.claim({MLFLOW: origin}) == set()
    assert await db.traces.add([(trace(UUID), ["polite"])], NOW_MS, 10) == ["duplicate"]

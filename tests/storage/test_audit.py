from storage.database import Database
from storage.records import AuditLine
from tests.storage.records import NOON_MS


def line(at_ms: int, *ids: str) -> AuditLine:
    return AuditLine(at_ms=at_ms, what="forgotten", judge="polite", person="U1", ids=ids)


async def test_audit_lines_come_in_order_also_within_a_millisecond(db: Database) -> None:
    lines = [line(5, "a"), line(5, "b"), line(5, "c"), line(9, "d"), line(2, "e")]
    for each in lines:
        await db.audit.add(each)
    assert await db.audit.between(2, 9) == [lines[4], *lines[:3]]
    assert await db.audit.between(9, 10) == [lines[3]]
    assert await db.audit.between(10, 99) == []


async def test_the_first_start_is_remembered(db: Database) -> None:
    assert await db.audit.first_start_ms(100) == 100
    assert await db.audit.first_start_ms(900) == 100


async def test_a_first_start_with_a_clock_years_ahead_is_set_right(db: Database) -> None:
    year_ms = 365 * 24 * 3_600_000
    assert await db.audit.first_start_ms(NOON_MS + 3 * year_ms) == NOON_MS + 3 * year_ms
    assert await db.audit.first_start_ms(NOON_MS) == NOON_MS
    assert await db.audit.first_start_ms(NOON_MS + 1000) == NOON_MS

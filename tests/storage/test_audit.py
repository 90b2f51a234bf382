from storage.database import Database
from storage.records import AuditLine


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

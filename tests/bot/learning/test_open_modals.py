"""Modals that are open: until they are closed, or for five minutes."""

from bot.learning.open_modals import OpenModals

FIVE_MINUTES_MS = 5 * 60_000


def test_a_modal_is_open_until_it_is_closed() -> None:
    modals, closed = OpenModals(), list[str]()
    modals.on_close = closed.append
    modals.opened("ana", "v-1")
    assert modals.open_until_ms("ana", "v-1") is not None
    assert (modals.open_until_ms("ben", "v-1"), modals.open_until_ms("ana", "v-2")) == (None, None)
    modals.closed("ana", "v-1")
    assert (modals.open_until_ms("ana", "v-1"), closed) == (None, ["v-1"])


def test_a_modal_counts_as_left_after_five_minutes() -> None:
    now = 1_000
    modals = OpenModals(lambda: now)
    modals.opened("ana", "v-1")
    now += FIVE_MINUTES_MS - 1
    assert modals.open_until_ms("ana", "v-1") == 1_000 + FIVE_MINUTES_MS
    now += 1
    assert modals.open_until_ms("ana", "v-1") is None


def test_closing_a_modal_that_is_not_open_tells_nobody() -> None:
    modals, closed = OpenModals(), list[str]()
    modals.on_close = closed.append
    modals.closed("ana", "v-1")
    assert closed == []

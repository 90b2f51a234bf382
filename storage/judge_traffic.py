"""Counts of the traces that were sampled for each judge, by hour of the local day: eight days of them."""

from collections.abc import Mapping
from datetime import date, timedelta

from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key, parts_of
from storage.records import LocalHour
from storage.repository import Repository, Store, reads

HOURS_A_DAY = 24
TRAFFIC_DAYS = 8
"""Today, and the week that the traffic of today is expected by."""


class JudgeTraffic(Repository):
    """Arrivals by judge, day and hour. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._days = store.documents.declare("judge_traffic", form=fields_form(hours=tuple[int, ...]))

    def count(self, hour: LocalHour, arrivals: Mapping[str, int]) -> None:
        """Add arrivals by judge to an hour; days before the last eight are dropped."""
        first_day = date.fromisoformat(hour.day) - timedelta(days=TRAFFIC_DAYS - 1)
        for judge, number in arrivals.items():
            place = key(judge, hour.day)
            body = self._days.get(doc_id=place)
            if body is None:
                self._days.remove(doc_ids=self._days.ids(below(judge)[0], key(judge, first_day.isoformat())))
            hours = [0] * HOURS_A_DAY if body is None else list(body["hours"])
            hours[hour.hour] += number
            self._days.upsert(Document({"hours": hours}, place))

    @reads
    def of_judge(self, judge: str) -> Mapping[str, tuple[int, ...]]:
        """Return the arrivals of each known day such as `2026-11-20`, by hour of that day, 24 numbers."""
        return {parts_of(body.doc_id)[1]: tuple(body["hours"]) for body in self._days.range(*below(judge))}

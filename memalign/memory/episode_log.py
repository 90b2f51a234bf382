"""Episodes by trace id, in order of learning, as a persistent map: a change costs the same however many there are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from rpds import HashTrieMap

from memalign.records import Episode

_Entry = tuple[int, Episode]


class EpisodeLog(Mapping[str, Episode]):
    """The episodes of one version of a memory. Never changes.

    Args:
        episodes: By trace id, in order of learning; none by default.
    """

    def __init__(self, episodes: Mapping[str, Episode] | None = None) -> None:
        entries = enumerate((episodes or {}).items())
        self._entries: HashTrieMap[str, _Entry] = HashTrieMap(
            {trace_id: (place, episode) for place, (trace_id, episode) in entries}
        )
        self._next_place = len(self._entries)

    @classmethod
    def of(cls, episodes: Mapping[str, Episode]) -> "EpisodeLog":
        """Take episodes over.

        Args:
            episodes: By trace id, in order of learning.

        Returns:
            The log; the same one where it is one already.
        """
        return episodes if isinstance(episodes, EpisodeLog) else cls(episodes)

    def changed(self, put: Iterable[Episode], drop: Collection[str]) -> "EpisodeLog":
        """Make a new version.

        Args:
            put: Episodes to add; one that replaces an older version moves to the end.
            drop: Trace ids whose episodes go; unknown ones are passed over.

        Returns:
            The version.
        """
        version = EpisodeLog()
        entries, place = self._entries, self._next_place
        for trace_id in drop:
            entries = entries.discard(trace_id)
        for place, episode in enumerate(put, start=self._next_place):
            entries = entries.insert(episode.trace_id, (place, episode))
        version._entries, version._next_place = entries, place + 1
        return version

    def place(self, trace_id: str) -> int:
        """Return a number that grows with the order of learning.

        Args:
            trace_id: Id of a trace.

        Returns:
            The number; for a trace without an episode one above all others.
        """
        entry = self._entries.get(trace_id)
        return self._next_place if entry is None else entry[0]

    @cached_property
    def _order(self) -> tuple[str, ...]:
        places = sorted((place, trace_id) for trace_id, (place, _) in self._entries.items())
        return tuple(trace_id for _, trace_id in places)

    def __getitem__(self, trace_id: str) -> Episode:
        """Look an episode up. Raises `KeyError` if there is none."""
        return self._entries[trace_id][1]

    def __contains__(self, trace_id: object) -> bool:
        """Tell whether there is an episode of a trace."""
        return trace_id in self._entries

    def __iter__(self) -> Iterator[str]:
        """Iterate over the trace ids in order of learning."""
        return iter(self._order)

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self._entries)

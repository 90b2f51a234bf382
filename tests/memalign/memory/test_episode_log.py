from hypothesis import given
from hypothesis import strategies as st

from memalign.memory.episode_log import EpisodeLog
from memalign.records import Episode
from tests.factories import an_episode

NAMES = st.sampled_from([f"t{n}" for n in range(8)])
CHANGES = st.lists(
    st.tuples(st.lists(NAMES, max_size=3, unique=True), st.lists(NAMES, max_size=3)), max_size=12
)


@given(CHANGES)
def test_the_log_is_as_a_dictionary_in_which_what_is_put_moves_to_the_end(
    changes: list[tuple[list[str], list[str]]],
) -> None:
    log, expected = EpisodeLog(), dict[str, Episode]()
    for put, drop in changes:
        before, kept = log, dict(log)
        episodes = [an_episode(name) for name in put]
        log = log.changed(episodes, drop)
        for name in (*drop, *put):
            expected.pop(name, None)
        expected.update({episode.trace_id: episode for episode in episodes})

        assert list(log.items()) == list(expected.items())
        assert list(before.items()) == list(kept.items())
        places = [log.place(name) for name in log]
        assert places == sorted(set(places))
        assert all(log.place("none") > place for place in places)

import math

import numpy as np
import pytest

from memalign.records import Episode, PersonLabel, Trace
from memalign.serialization import from_document, pack_vector, to_document, unpack_vector
from tests.factories import an_episode


def test_a_vector_comes_back_bit_by_bit() -> None:
    vector = np.array([0.1, -1.0, math.pi], dtype=np.float32)
    back = unpack_vector(pack_vector(vector))
    assert back.dtype == np.float32
    assert back.shape == (3,)
    assert back.tobytes() == vector.tobytes()


def test_a_packed_vector_is_short_text() -> None:
    assert len(pack_vector(np.zeros(512, dtype=np.float32))) < 2800


def test_a_field_that_an_older_version_did_not_write_takes_its_default() -> None:
    assert from_document(Trace, {"trace_id": "tr-1"}) == Trace(trace_id="tr-1")


def test_a_field_that_only_another_version_knows_is_passed_over() -> None:
    episode = an_episode("tr-1")

    assert from_document(Episode, {**to_document(episode), "colour": "red"}) == episode


def test_a_missing_field_without_default_is_an_error() -> None:
    with pytest.raises(TypeError, match="trace_id"):
        from_document(Trace, {"inputs": "question"})


def test_nested_records_are_documents_and_tuples_are_lists() -> None:
    opinion = PersonLabel(person="ana", value=True, rationale="fine", time_ms=7)

    assert to_document(an_episode("tr-1", True, opinion)) == {
        "trace_id": "tr-1",
        "label": True,
        "fields": {"inputs": "tr-1"},
        "text": "tr-1",
        "opinions": [{"person": "ana", "value": True, "rationale": "fine", "time_ms": 7}],
        "minority": [],
    }

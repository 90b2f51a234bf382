"""Vectors of given cosine, and memories of labelled cases that have them."""

from collections.abc import Mapping

import numpy as np

from memalign.memory.episodic import EpisodicMemory
from memalign.ports import Vector
from memalign.records import Label
from tests.factories import an_episode

RANDOM = np.random.default_rng(7)


def a_row() -> Vector:
    row = RANDOM.normal(size=16).astype(np.float32)
    return (row / np.linalg.norm(row)).astype(np.float32)


def a_row_near(row: Vector, cosine: float) -> Vector:
    """Return a row at this cosine from another one."""
    across = a_row()
    across -= (across @ row) * row
    across /= np.linalg.norm(across)
    near: Vector = (cosine * row + np.sqrt(1 - cosine**2) * across).astype(np.float32)
    return near


def a_labelled_memory(rows: Mapping[str, Vector], labels: Mapping[str, Label]) -> EpisodicMemory:
    episodes = [an_episode(name, label=labels.get(name, True)) for name in rows]
    return EpisodicMemory().changed(put=episodes, vectors=rows)

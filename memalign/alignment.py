"""Settings of an alignment, and the models that they name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from memalign.errors import SettingsError
from memalign.judge import Judge
from memalign.memory.case_vectors import CaseVectors
from memalign.memory.embedding_cache import VectorCache
from memalign.models import (
    DEFAULT_OPTIONS,
    ModelOptions,
    canonical_name,
    check_options,
    connect_comparer,
    connect_distiller,
    connect_embedder,
    model_name,
)
from memalign.models.pair_comparison import PairComparer
from memalign.ports import Distiller, Embedder
from memalign.recall.guideline_selection import GUIDELINE_TOKENS
from memalign.records import OMIT_DEFAULT, GuidelinePolicy

DEFAULT_MODEL = "openai:/gpt-5-mini"
DEFAULT_EMBEDDING_MODEL = "openai:/text-embedding-3-small"
DEFAULT_RETRIEVAL_K = 5
DEFAULT_EMBEDDING_DIM = 512
"""The last three are the defaults of MLflow's MemAlignOptimizer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentSettings:
    """The models and numbers that a judge is aligned with; see `memalign.MemAlignOptimizer`.

    Raises:
        SettingsError: If a number is out of range or a model does not exist.
    """

    reflection_lm: str = DEFAULT_MODEL
    retrieval_k: int = DEFAULT_RETRIEVAL_K
    embedding_model: str = DEFAULT_EMBEDDING_MODEL
    embedding_dim: int = DEFAULT_EMBEDDING_DIM
    guideline_tokens: int = GUIDELINE_TOKENS
    min_similarity: float | None = None
    """None: found from the memory, see `memalign.memory.case_similarity`."""
    trial_calls: int = field(default=0, metadata=OMIT_DEFAULT)
    """Model calls of one alignment for trials of new guidelines; 0: they are not tried."""
    model_options: Mapping[str, ModelOptions] = field(default_factory=dict, hash=False)
    """By model, as `provider:/name`; a model that is not in it has the defaults."""

    def __post_init__(self) -> None:
        """Check the settings."""
        for name, number, least in (
            ("retrieval_k", self.retrieval_k, 1),
            ("embedding_dim", self.embedding_dim, 1),
            ("guideline_tokens", self.guideline_tokens, 1),
            ("trial_calls", self.trial_calls, 0),
        ):
            _check_number(name, number, least)
        _check_similarity(self.min_similarity)
        for name in (self.reflection_lm, self.embedding_model):
            model_name(name)
        for name, options in self.model_options.items():
            check_options(name, options)
        by_name = {canonical_name(name): options for name, options in self.model_options.items()}
        object.__setattr__(self, "model_options", by_name)

    def policy_for(self, judge: Judge) -> GuidelinePolicy:
        """Tell on which conditions guidelines of a judge are used.

        Args:
            judge: The judge.

        Returns:
            The conditions.
        """
        return GuidelinePolicy(trials=self.trial_calls > 0 and judge.tries_guidelines)

    def options_of(self, model: str) -> ModelOptions:
        """Look up the options of a model.

        Args:
            model: `provider:/name`.

        Returns:
            Its options, or the defaults.
        """
        return self.model_options.get(canonical_name(model), DEFAULT_OPTIONS)


def _check_number(name: str, number: object, least: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise SettingsError(f"{name} is {number!r}; set a whole number of at least {least}.")


def _check_similarity(value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and -1 <= cast("float", value) <= 1):
        raise SettingsError(f"min_similarity is {value!r}; set a number from -1 to 1, or leave it out.")


class AlignmentModels:
    """The models of some settings, each connected when it is first used.

    Args:
        settings: Name the models.
    """

    def __init__(self, settings: AlignmentSettings) -> None:
        self.settings = settings

    def __repr__(self) -> str:
        chosen = self.settings
        return (
            f"{type(self).__name__}(reflection_lm={chosen.reflection_lm!r}, retrieval_k={chosen.retrieval_k}, "
            f"embedding_model={chosen.embedding_model!r}, embedding_dim={chosen.embedding_dim})"
        )

    def __getstate__(self) -> dict[str, object]:
        """Return what a copy or a pickle holds: the settings; models are connected anew where they are used."""
        kept = vars(self).items()
        return {
            name: value
            for name, value in kept
            if not isinstance(getattr(type(self), name, None), cached_property)
        }

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model. Raises `SettingsError` if it does not embed."""
        model = self.settings.embedding_model
        return connect_embedder(model, self.settings.embedding_dim, self.settings.options_of(model))

    @cached_property
    def distiller(self) -> Distiller:
        """The reflection model. Raises `SettingsError` if it does not distil."""
        model = self.settings.reflection_lm
        return connect_distiller(model, self.settings.options_of(model))

    @cached_property
    def comparer(self) -> PairComparer | None:
        """The reflection model as one that compares guidelines; None where it is no language model."""
        model = self.settings.reflection_lm
        return connect_comparer(model, self.settings.options_of(model))

    @cached_property
    def vectors(self) -> CaseVectors:
        """The vectors of texts embedded so far, kept in memory."""
        return CaseVectors(VectorCache(self.embedder, None))

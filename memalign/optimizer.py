"""The library's front door, with the names of MLflow's judge API: make_judge, MemAlignOptimizer, load_judge.

The method is MemAlign: semantic memory (guidelines distilled from rationales) and episodic memory (labelled cases,
retrieved by similarity) are added to a judge's prompt. It is described in "MemAlign: Building Better LLM Judges From
Human Feedback With Scalable Memory" (Databricks, February 2026) and shipped in MLflow as
`mlflow.genai.judges.optimizers.MemAlignOptimizer`. Votes, forgetting and merging differ from it on purpose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from memalign.alignment import (
    DEFAULT_EMBEDDING_DIM,
    DEFAULT_EMBEDDING_MODEL,
    DEFAULT_MODEL,
    DEFAULT_RETRIEVAL_K,
    AlignmentModels,
    AlignmentSettings,
)
from memalign.errors import SettingsError, TemplateError
from memalign.judge_file import parse, read
from memalign.judges import AlignableJudge, AlignedJudge, LibraryJudge, judge_of_state
from memalign.mlflow_arguments import check_arguments
from memalign.mlflow_memory import load_mlflow_judge, read_mlflow_judge
from memalign.models import (
    DEFAULT_OPTIONS,
    ModelOptions,
    canonical_name,
    check_options,
    model_name,
    model_options_of,
)
from memalign.recall.guideline_selection import GUIDELINE_TOKENS
from memalign.records import Json, Lesson
from memalign.template import VARIABLES, variables_in
from memalign.value_types import FeedbackValueType, value_type_of


class MemAlignOptimizer(AlignmentModels):
    """Aligns judges with people's feedback, by MemAlign.

    Keep one optimizer for many alignments: it remembers the vectors of the texts it has embedded (up to 4,096). It may
    be used from several threads.

    Args:
        reflection_lm: Model that distils guidelines from rationales: `openai:/NAME` (also any server that speaks like
            OpenAI, at OPENAI_BASE_URL), a model of another provider, or `local:/extract`, which needs no key and takes
            rules word for word. An alignment costs one call for each 50 new rationales; the calls run at once. After
            several of them, and after every 25 new guidelines, one call more compares guidelines; where three or more
            of one record each are much alike, one call distils their records together. None: `openai:/gpt-5-mini`.
        retrieval_k: Most similar cases that a judge is shown for a verdict, at least 1. There may be fewer, see
            `min_similarity`.
        embedding_model: Model that embeds the traces' texts: `openai:/NAME`, one of another provider whose models
            embed, or `local:/wordllama`, which needs no key; nor does `local:/minilm`, with the extra `minilm`.
            Each new text is embedded once, in batches; a verdict costs one call at most. None:
            `openai:/text-embedding-3-small`.
        embedding_dim: Length of a vector in numbers, at least 1. A model that cannot choose its length must give just
            this one; `local:/wordllama` always gives 256, and `local:/minilm` 384, whatever is set here.
        model_options: Options of these models by name, such as `{"openai:/gpt-5-mini": {"timeout_seconds": 60}}`; see
            `ModelOptions`. None: each has the defaults. The judge's own model has its options from `make_judge`.
        guideline_tokens: Room of guidelines in a prompt, in tokens, 4,000 by default. Where not all fit, those that
            matter for the record are chosen.
        min_similarity: Least cosine, -1 to 1, of a case that a judge is shown. None: cases are left out that are less
            similar, by vectors and by words, than the 5 % most similar pairs of learned cases, so that it suits any
            embedding model; those with a cosine below 0.15 while there are fewer than 20 different cases.
        trial_calls: Calls of the judge's model that an alignment may spend to try each new guideline on up to 20
            labelled cases near it, with and without it. One that makes more verdicts wrong than right
            is held back; its `trial` says how many. 0, the default: new guidelines are used untried, as they are once
            the calls are spent. A judge that reads no guidelines (`local:/cases`), or gives any text, tries none.

    Raises:
        SettingsError: If a number is out of range, a model does not exist, or an option cannot be used.
    """

    def __init__(
        self,
        reflection_lm: str | None = None,
        retrieval_k: int | None = DEFAULT_RETRIEVAL_K,
        embedding_model: str | None = None,
        embedding_dim: int | None = DEFAULT_EMBEDDING_DIM,
        *,
        model_options: Mapping[str, ModelOptions | Mapping[str, Json]] | None = None,
        guideline_tokens: int | None = GUIDELINE_TOKENS,
        min_similarity: float | None = None,
        trial_calls: int = 0,
    ) -> None:
        super().__init__(
            AlignmentSettings(
                reflection_lm=DEFAULT_MODEL if reflection_lm is None else reflection_lm,
                retrieval_k=DEFAULT_RETRIEVAL_K if retrieval_k is None else retrieval_k,
                embedding_model=DEFAULT_EMBEDDING_MODEL if embedding_model is None else embedding_model,
                embedding_dim=DEFAULT_EMBEDDING_DIM if embedding_dim is None else embedding_dim,
                guideline_tokens=GUIDELINE_TOKENS if guideline_tokens is None else guideline_tokens,
                min_similarity=min_similarity,
                trial_calls=trial_calls,
                model_options=_options_by_model(model_options),
            )
        )

    def align(self, judge: object, traces: Sequence[object]) -> Any:
        """Align a judge: `judge.align(traces, self)`.

        Args:
            judge: From `make_judge`, or one that is aligned already. Also a judge of MLflow's, whose
                `align(traces, optimizer=…)` calls this; of one that MLflow has aligned, guidelines stay whose traces
                are among those given.
            traces: With people's assessments, ours or MLflow's.

        Returns:
            A new judge that has learned from them; for one of MLflow's a `memalign.mlflow_judge.MemAlignJudge`.

        Raises:
            InputError: If nothing can be learned from any of the traces.
            SettingsError: If a model cannot be used as the settings say.
        """
        if isinstance(judge, LibraryJudge):
            return judge.align(traces, self)
        own = getattr(judge, "memalign_judge", None)
        if isinstance(own, LibraryJudge):
            return own.align(traces, self).to_mlflow_scorer()
        memory = read_mlflow_judge(judge)
        known = load_mlflow_judge(judge, traces, self) if memory.guidelines else memory.base
        return known.align(traces, self).to_mlflow_scorer()


def make_judge(
    name: str,
    instructions: str,
    model: str | None = None,
    description: str | None = None,
    feedback_value_type: "FeedbackValueType | None" = None,
    inference_params: Mapping[str, Json] | None = None,
    base_url: str | None = None,
    extra_headers: Mapping[str, str] | None = None,
    include_timing_in_conversation: bool | None = False,
    generate_rationale_first: bool | None = None,
    model_api: str | None = None,
    *,
    model_options: ModelOptions | Mapping[str, Json] | None = None,
    value_range: Sequence[float] | None = None,
) -> AlignableJudge:
    """Define a judge, with the arguments of MLflow's `make_judge` in their order. No model is asked, and no key is
    needed yet.

    Args:
        name: The judge's name. Assessments with this name are its feedback; letter case does not matter.
        instructions: The criterion, with at least one of the template variables {{ inputs }}, {{ outputs }},
            {{ expectations }}, {{ conversation }} and {{ trace }}.
        model: Model that judges: `openai:/NAME`, `anthropic:/NAME`, one of another provider, or `local:/cases`, a
            statistical model fitted to the labelled cases, which needs no key. Each verdict costs one call. None:
            `openai:/gpt-5-mini`.
        description: The criterion in a few words, for people; no model is shown it.
        feedback_value_type: The labels that the judge may give: bool, int, float, str (any text), their
            names, or categories as a list of different texts and numbers or a `Literal` of them, at least two. Of
            `bool | None` and alike the None is passed over, since a judge always gives a label. None: str.
        inference_params: Parameters of each request, passed on as they are; `params` of `model_options`.
        base_url: Address of the model's server; `base_url` of `model_options`.
        extra_headers: HTTP headers of each request; `headers` of `model_options`.
        include_timing_in_conversation: Not supported, except False and None.
        generate_rationale_first: False: the model gives the value before the reason, which is MLflow's default. None:
            the reason comes first, so that the value follows from it.
        model_api: Only "default" and "chat_completions", which are the same here; None: default.
        model_options: Options of the model by key, such as `{"timeout_seconds": 60}`; see `ModelOptions`.
        value_range: Lowest and highest value of an int or float judge, such as (1, 5); None: no bounds. Values outside
            are no labels, and `2/5` is 2 where the range ends at 5.

    Returns:
        A judge that can be called, and aligned.

    Raises:
        SettingsError: If the name is empty, the value type or the model does not exist, or an argument or an option
            cannot be used.
        TemplateError: If the instructions use no template variable, or one that does not exist.
    """
    _check_texts(name, instructions)
    try:
        _check_model(model)
        check_arguments(include_timing_in_conversation=include_timing_in_conversation, model_api=model_api)
        chosen = DEFAULT_MODEL if model is None else model
        model_name(chosen)
        value_type = value_type_of(str if feedback_value_type is None else feedback_value_type, value_range)
        options = _with_arguments(
            model_options_of(model_options), base_url=base_url, headers=extra_headers, params=inference_params
        )
        check_options(chosen, options)
    except SettingsError as error:
        raise SettingsError(f"Judge {name}: {error}") from error
    _check_template(name, instructions)
    return AlignableJudge(
        name=name,
        instructions=instructions,
        value_type=value_type,
        model=chosen,
        model_options=options,
        description=description or "",
        rationale_first=generate_rationale_first is not False,
    )


def load_judge(
    path: str | PathLike[str] | bytes,
    *,
    model_options: Mapping[str, ModelOptions | Mapping[str, Json]] | None = None,
) -> AlignedJudge:
    """Read a judge that `AlignedJudge.save` wrote, exactly as it was. No model is asked, and no key is needed.

    Args:
        path: The file, or its content as bytes.
        model_options: Options by model, in place of those that were saved for it. The file holds no header's value,
            except where it is read from the environment (`env:NAME`).

    Returns:
        The judge, with an optimizer of the same settings.

    Raises:
        InputError: If the file is not there, or is no saved judge.
        SettingsError: If an option cannot be used.
    """
    saved = parse(path, "The content") if isinstance(path, bytes) else read(Path(path))
    judge, settings, options = saved.judge, saved.settings, _options_by_model(model_options)
    base = AlignableJudge(
        name=judge.name,
        instructions=judge.instructions,
        value_type=judge.value_type,
        model=judge.model,
        model_options=options.get(canonical_name(judge.model), judge.model_options),
        description=judge.description,
        rationale_first=judge.rationale_first,
    )
    optimizer = MemAlignOptimizer(
        settings.reflection_lm,
        settings.retrieval_k,
        settings.embedding_model,
        settings.embedding_dim,
        model_options={**settings.model_options, **options},
        guideline_tokens=settings.guideline_tokens,
        min_similarity=settings.min_similarity,
        trial_calls=settings.trial_calls,
    )
    return judge_of_state(base, saved.state, optimizer, Lesson())


def _options_by_model(
    options: Mapping[str, ModelOptions | Mapping[str, Json]] | None,
) -> dict[str, ModelOptions]:
    """Read options by model; an error names the model."""
    by_model = {}
    for name, values in (options or {}).items():
        model = canonical_name(name)
        try:
            by_model[model] = model_options_of(values)
        except SettingsError as error:
            raise SettingsError(f"model_options of {model}: {error}") from error
    return by_model


def _check_texts(name: object, instructions: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise SettingsError("A judge needs a name.")
    if not isinstance(instructions, str):
        raise TemplateError(f"The instructions of judge {name} are {instructions!r}; write them as a text.")


def _check_model(model: object) -> None:
    """Tell a value type in the place of the model, which is third, as in MLflow."""
    if model is not None and not isinstance(model, str):
        raise SettingsError(f"model is {model!r}; write feedback_value_type=… to give the labels.")


def _with_arguments(options: ModelOptions, **arguments: Json) -> ModelOptions:
    """Return the options with those that were given as arguments of MLflow's."""
    present = {name: value for name, value in arguments.items() if value is not None}
    twice = [name for name in present if getattr(options, name) != getattr(DEFAULT_OPTIONS, name)]
    if twice:
        raise SettingsError(f"{twice[0]} is given as an argument and in model_options; give it once.")
    return replace(options, **present)


def _check_template(name: str, instructions: str) -> None:
    variables = variables_in(instructions)
    known = ", ".join(f"{{{{ {variable} }}}}" for variable in VARIABLES)
    if not variables:
        raise TemplateError(f"The instructions of judge {name} use no template variable; use one of {known}.")
    unknown = [variable for variable in variables if variable not in VARIABLES]
    if unknown:
        raise TemplateError(
            f"The instructions of judge {name} use {{{{ {unknown[0]} }}}}, which is no template variable; "
            f"use one of {known}."
        )

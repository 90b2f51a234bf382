"""The library's front door, with the names of MLflow's judge API: make_judge, MemAlignOptimizer, load_judge.

The method is MemAlign: semantic memory (guidelines distilled from rationales) and episodic memory (labelled cases,
retrieved by similarity) are added to a judge's prompt. It is described in "MemAlign: Building Better LLM Judges From
Human Feedback With Scalable Memory" (Databricks, February 2026) and shipped in MLflow as
`mlflow.genai.judges.optimizers.MemAlignOptimizer`. Votes, forgetting and merging differ from it on purpose.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from memalign.alignment import (
    DEFAULT_EMBEDDING_DIM,
    DEFAULT_EMBEDDING_MODEL,
    DEFAULT_MODEL,
    DEFAULT_RETRIEVAL_K,
    AlignmentModels,
    AlignmentSettings,
)
from memalign.errors import SettingsError, TemplateError
from memalign.judge_file import read
from memalign.judges import AlignableJudge, AlignedJudge, LibraryJudge, judge_of_state
from memalign.models import model_name
from memalign.records import Lesson
from memalign.template import VARIABLES, variables_in
from memalign.value_types import FeedbackValueType, value_type_of


class MemAlignOptimizer(AlignmentModels):
    """Aligns judges with people's feedback, by MemAlign.

    Keep one optimizer for many alignments: it remembers the vectors of the texts it has embedded (up to 4,096). It may
    be used from several threads.

    Args:
        reflection_lm: Model that distils guidelines from rationales: `openai:/NAME` (also any server that speaks like
            OpenAI, at OPENAI_BASE_URL), `anthropic:/NAME`, or `local:/extract`, which needs no key and takes rules
            word for word. An alignment costs one call for each 50 new rationales; the calls run at once.
        retrieval_k: Most similar cases that a judge is shown for a verdict, at least 1. Cases less similar than a
            cosine of 0.15 are not shown, so that there may be fewer.
        embedding_model: Model that embeds the traces' texts: `openai:/NAME` or `local:/wordllama`, which needs no key.
            Each new text is embedded once, in batches; a verdict costs one text.
        embedding_dim: Length of a vector in numbers, at least 1. A model that cannot choose its length must give just
            this one; `local:/wordllama` always gives 256, whatever is set here.

    Raises:
        SettingsError: If a number is below 1 or a model does not exist.
    """

    def __init__(
        self,
        reflection_lm: str = DEFAULT_MODEL,
        retrieval_k: int = DEFAULT_RETRIEVAL_K,
        embedding_model: str = DEFAULT_EMBEDDING_MODEL,
        embedding_dim: int = DEFAULT_EMBEDDING_DIM,
    ) -> None:
        super().__init__(
            AlignmentSettings(
                reflection_lm=reflection_lm,
                retrieval_k=retrieval_k,
                embedding_model=embedding_model,
                embedding_dim=embedding_dim,
            )
        )

    def align(self, judge: LibraryJudge, traces: Sequence[object]) -> AlignedJudge:
        """Align a judge: `judge.align(traces, self)`.

        Args:
            judge: From `make_judge`, or one that is aligned already.
            traces: With people's assessments, ours or MLflow's.

        Returns:
            A new judge that has learned from them.

        Raises:
            InputError: If nothing can be learned from any of the traces.
            SettingsError: If a model cannot be used as the settings say.
        """
        return judge.align(traces, self)


def make_judge(
    name: str,
    instructions: str,
    feedback_value_type: FeedbackValueType = str,
    model: str = DEFAULT_MODEL,
) -> AlignableJudge:
    """Define a judge. No model is asked, and no key is needed yet.

    Args:
        name: The judge's name. Assessments with this name are its feedback; letter case does not matter.
        instructions: The criterion, with at least one of the template variables {{ inputs }}, {{ outputs }},
            {{ expectations }}, {{ conversation }} and {{ trace }}.
        feedback_value_type: The labels that the judge may give: bool, int, float, str (any text, the default), their
            names, or categories as a list of different texts and numbers or a `Literal` of them, at least two.
        model: Model that judges: `openai:/NAME`, `anthropic:/NAME`, or `local:/cases`, a statistical model fitted to
            the labelled cases, which needs no key. Each verdict costs one call.

    Returns:
        A judge that can be called, and aligned.

    Raises:
        SettingsError: If the name is empty, or the value type or the model does not exist.
        TemplateError: If the instructions use no template variable, or one that does not exist.
    """
    if not name.strip():
        raise SettingsError("A judge needs a name.")
    try:
        model_name(model)
        value_type = value_type_of(feedback_value_type)
    except SettingsError as error:
        raise SettingsError(f"Judge {name}: {error}") from error
    _check_template(name, instructions)
    return AlignableJudge(name=name, instructions=instructions, value_type=value_type, model=model)


def load_judge(path: str | PathLike[str]) -> AlignedJudge:
    """Read a judge that `AlignedJudge.save` wrote, exactly as it was. No model is asked, and no key is needed.

    Args:
        path: The file.

    Returns:
        The judge, with an optimizer of the same settings.

    Raises:
        InputError: If the file is not there, or is no saved judge.
    """
    saved = read(Path(path))
    judge, settings = saved.judge, saved.settings
    base = AlignableJudge(
        name=judge.name, instructions=judge.instructions, value_type=judge.value_type, model=judge.model
    )
    optimizer = MemAlignOptimizer(
        settings.reflection_lm, settings.retrieval_k, settings.embedding_model, settings.embedding_dim
    )
    return judge_of_state(base, saved.state, optimizer, Lesson())


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

"""The library face, with the names of MLflow's judge API: make_judge, MemAlignOptimizer, aligned judges."""

from memalign.errors import SettingsError, TemplateError
from memalign.fields import VARIABLES, variables_in
from memalign.judge import Judge
from memalign.models import model_name
from memalign.values import value_type_of

DEFAULT_MODEL = "openai:/gpt-5-mini"


def make_judge(
    name: str,
    instructions: str,
    feedback_value_type: object = str,
    model: str = DEFAULT_MODEL,
) -> Judge:
    """Define a judge. Raises `SettingsError`; `TemplateError` for a wrong template variable."""
    if not name.strip():
        raise SettingsError("A judge needs a name.")
    try:
        model_name(model)
        value_type = value_type_of(feedback_value_type)
    except SettingsError as error:
        raise SettingsError(f"Judge {name}: {error}") from error
    _check_template(name, instructions)
    return Judge(name=name, instructions=instructions, value_type=value_type, model=model)


def _check_template(name: str, instructions: str) -> None:
    used = variables_in(instructions)
    known = ", ".join(f"{{{{ {variable} }}}}" for variable in VARIABLES)
    if not used:
        raise TemplateError(f"The instructions of judge {name} use no template variable; use one of {known}.")
    wrong = [variable for variable in used if variable not in VARIABLES]
    if wrong:
        raise TemplateError(
            f"The instructions of judge {name} use {{{{ {wrong[0]} }}}}, which is no template variable; "
            f"use one of {known}."
        )

"""Arguments of MLflow's that a judge here cannot follow, each refused in one sentence."""

from memalign.errors import SettingsError

_CHAT_APIS = ("default", "chat_completions")
"""Values of MLflow's `ModelAPI` that ask a model for a verdict with its reason."""


def check_arguments(*, include_timing_in_conversation: object = None, model_api: object = None) -> None:
    """Refuse what only a judge of MLflow's does.

    Args:
        include_timing_in_conversation: As for MLflow's `make_judge`.
        model_api: As for MLflow's `make_judge`: a text, or its `ModelAPI`.

    Raises:
        SettingsError: If the judge would have to add times to conversations, or to use a decision API.
    """
    if include_timing_in_conversation:
        raise SettingsError(
            "include_timing_in_conversation is not supported here; leave it out, and use {{ trace }} for times."
        )
    api = str(getattr(model_api, "value", model_api))
    if model_api is not None and api not in _CHAT_APIS:
        raise SettingsError(
            f"model_api {api!r} is not supported here, since a judge needs a model that gives reasons; leave it out."
        )

"""The log of what the bot did: one line at INFO for each thing, by ids alone, never in anybody's words."""

import logging


def log_activity(log: logging.Logger, activity: str, **ids: str | int | None) -> None:
    """Write that something was done.

    Args:
        log: the logger of the module that did it.
        activity: what was done, such as `trace judged`.
        ids: ids and numbers by name; as text they follow the activity, in JSON each is a field of its own.
    """
    named = {name: value for name, value in ids.items() if value is not None}
    words = "".join(f" {name}={value}" for name, value in named.items())
    log.info("%s%s", activity, words, extra={"activity": activity, **named})

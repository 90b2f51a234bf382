"""The template engine of the pages: every text is escaped, and shows no character that hides or turns others."""

from collections.abc import Mapping
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.digest_words import coefficient, percent
from bot.plain_text import format_label_plain, long_date, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE
from bot.visible_text import visible
from memalign.records import Json


def render(template: str, fields: Mapping[str, Json]) -> str:
    """Return a page.

    Args:
        template: name of the template, a file of this package.
        fields: what it shows. Text in it is escaped, whatever it holds.
    """
    return _ENVIRONMENT.get_template(template).render(**fields)


def _shown(value: object) -> object:
    """Return a value as a page shows it; what a template wrote itself stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _exact_percent(share: float) -> str:
    """Return a share that somebody set, in percent: nothing of it is rounded away."""
    return f"{share * 100:.6g}%"


def _day(moment: datetime) -> str:
    """Return a date in short, for tables."""
    return f"{moment.day} {moment:%b %Y}"


def _minute(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M}"


_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.pages", ""),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["MIN_VERDICTS_FOR_SHARE"] = MIN_VERDICTS_FOR_SHARE
_ENVIRONMENT.filters |= {
    "coefficient": coefficient,
    "date": long_date,
    "day": _day,
    "exact_percent": _exact_percent,
    "label": format_label_plain,
    "minute": _minute,
    "number": "{:,}".format,
    "percent": percent,
    "pluralise": pluralise,
}

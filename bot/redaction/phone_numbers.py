"""Phone numbers, checked against the numbering plans of libphonenumber."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from bot.redaction.markers import PHONE

TRUNK_REGIONS = ("DE", "AT", "CH", "GB", "FR", "IE", "NL", "BE", "SE", "AU", "NZ", "IT")
"""Regions whose national numbers begin with 0, so that they are known without a country code."""
MOBILE_REGIONS = ("DE", "AT", "CH", "GB", "FR")
"""Regions whose mobile numbers are known in one run of digits, without a word that announces them."""
ANNOUNCED_REGIONS = (*TRUNK_REGIONS, "US", "ES", "PT", "PL", "DK", "NO", "CZ", "IN")
"""Regions whose national numbers are taken in any grouping behind a word such as *phone*."""
MIN_DIGITS, MAX_DIGITS = 7, 15
"""The latter by ITU-T E.164."""
MIN_INTERNATIONAL_DIGITS = 10
"""Of a number with its country code but without a plus, which only an announcement tells from other numbers."""
HAS_DIGITS = re.compile(rf"(?:\D*+\d){{{MIN_DIGITS}}}")
"""Matches a text that has enough digits for a number; to look for these is quick."""
MAX_GROUPS = 8
FRENCH_PAIRS = 5

RUN = re.compile(
    r"(?:(?<![A-Za-z_+&=])\(?\+ ?|(?<![\w+#&%@\\./-])(?<![\d.],)(?<!\d:))\(?\d++\)?"
    r"(?:[ \t\u00a0\u202f./\u2010-\u2013-]{0,3}+\(?\d++\)?)*+(?![\w@%]|[.,:]\d)"
)
PHONE_LINK = re.compile(r"<tel:[^<>\n]{1,100}>")
"""Slack's form of a number in a message: `<tel:+4930123456|030 123456>`."""
GROUP = re.compile(r"\d+")
SIGNS_BEFORE = re.compile(r"\(?(?:\+ ?)?$")
TRUNK_ZERO = re.compile(r"\(0\)")
DATE = re.compile(
    r"(?<!\d)((?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:(?:19|20)\d\d|\d\d(?![./-]))(?!\d)"
    r"|(?:19|20)\d\d[./-]\d\d[./-]\d\d(?!\d))"
)
AMERICAN = re.compile(r"(?:1[ .-]?)?\(\d{3}\) ?\d{3}[ .-]\d{4}|(?:1([ .-]))?\d{3}([ .-])\d{3}\2\d{4}")
AUSTRALIAN_HOTLINE = re.compile(r"1[38]00[ -]\d{3}[ -]\d{3}|13[ -]?\d\d[ -]\d\d")
ANNOUNCEMENT = re.compile(
    r"(?i)(?P<phone>\b(?:tel|ph|fon|phone|telefon|telephone|mobil|mobile|handy|cell|call|ring|dial|fax|sms|whatsapp|"
    r"hotline|helpline|ruf|anruf|rufnummer|durchwahl|reach me|number is|nummer ist|erreichbar|contact)\w{0,10}\b)"
    r"|(?P<other>\b(?:isbn|issn|ean|sku|order|invoice|version|release|build|ticket|tracking|ref|id|no|nr|iban|bic|"
    r"part|serial|art|model|case|code|bestell|rechnung|kunde|auftrag|vorgang|sendung|akten|artikel|"
    r"beleg|kontonummer|konto|account|plz|zip|steuer|ust|blz)\w{0,14}\b)"
)
ANNOUNCEMENT_DISTANCE = 28
"""Characters before a number in which the word that announces it may stand."""
PLAN_KINDS = [
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
]


def redact_phone_numbers(text: str, *, announced: bool = False) -> str:
    """Return the text with `[phone number]` for each number of a numbering plan.

    Args:
        text: any text.
        announced: the text stands in a field that is called *phone* or the like.
    """
    text = PHONE_LINK.sub(PHONE, text) if "<tel:" in text else text
    return RUN.sub(lambda run: _without_numbers(run, announced), text) if HAS_DIGITS.match(text) else text


# fields have the same names over and over
@lru_cache(maxsize=4096)
def announces_phone_number(name: str) -> bool:
    """Return whether a field's name says that it holds a phone number."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)
    return any(match["phone"] for match in ANNOUNCEMENT.finditer(words))


def _without_numbers(match: re.Match[str], announced: bool) -> str:
    run = match[0]
    if sum(map(str.isdigit, run)) < MIN_DIGITS:
        return run
    before = match.string[max(0, match.start() - ANNOUNCEMENT_DISTANCE) : match.start()]
    word = None if announced else _last_announcement(before)
    announced = announced or bool(word and word["phone"])
    doubtful = bool(word and word["other"])
    parts = DATE.split(run)
    return "".join(
        part if place % 2 else _redact_run(part, announced=announced, doubtful=doubtful)
        for place, part in enumerate(parts)
    )


def _redact_run(run: str, *, announced: bool, doubtful: bool) -> str:
    groups = list(GROUP.finditer(run))
    pieces, end, place = [], 0, 0
    while place < len(groups):
        last = _last_group(run, groups, place, announced=announced, doubtful=doubtful)
        if last is not None:
            start = _opening(run, groups[place].start(), groups[last].end())
            pieces += [run[end:start], PHONE]
            end, place = groups[last].end(), last
        place += 1
    return "".join((*pieces, run[end:]))


def _last_announcement(before: str) -> re.Match[str] | None:
    words = list(ANNOUNCEMENT.finditer(before))
    return words[-1] if words else None


def _opening(run: str, start: int, end: int) -> int:
    """Return where the number in a part of a run begins: with its plus, and with a bracket that closes inside."""
    signs = SIGNS_BEFORE.search(run[max(0, start - 3) : start])
    before = signs[0] if signs else ""
    if before.startswith("(") and ")" not in run[start:end]:
        before = before[1:]
    return start - len(before)


def _last_group(
    run: str, groups: Sequence[re.Match[str]], first: int, *, announced: bool, doubtful: bool
) -> int | None:
    """Return the last of the groups that are one number, the longest there is; None for none."""
    is_international = first == 0 and run.lstrip("(").startswith("+")
    if doubtful and not is_international:
        return None
    for last in reversed(range(first, min(first + MAX_GROUPS, len(groups)))):
        part = run[groups[first].start() : groups[last].end()]
        if is_international or (part.startswith("00") and not part.startswith("000")):
            found = is_international_number(part)
        else:
            found = _is_national_number(run, groups, first, last, announced)
        if found:
            return last
    return None


def is_international_number(part: str) -> bool:
    """Return whether a part is a number of the country whose code it begins with; `00` and `(0)` are left out."""
    digits = _digits(TRUNK_ZERO.sub("", part)).removeprefix("00")
    if not MIN_DIGITS < len(digits) <= MAX_DIGITS:
        return False
    for length in (1, 2, 3):
        for region in COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length]), ()):
            if _plan(region).fullmatch(digits[length:]):
                return True
    return False


def _is_national_number(
    run: str, groups: Sequence[re.Match[str]], first: int, last: int, announced: bool
) -> bool:
    part = run[groups[first].start() : groups[last].end()]
    digits = _digits(part)
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return False
    if announced:
        is_whole = len(digits) >= MIN_INTERNATIONAL_DIGITS and is_international_number(digits)
        return is_whole or any(_is_of_plan(region, digits) for region in ANNOUNCED_REGIONS)
    if first == last:
        return any(_is_mobile(region, digits) for region in MOBILE_REGIONS)
    begin, end = groups[first].start(), groups[last].end()
    if AMERICAN.fullmatch(run[_opening(run, begin, end) : end]) and _is_of_plan("US", digits):
        return True
    if AUSTRALIAN_HOTLINE.fullmatch(part) and _is_of_plan("AU", digits):
        return True
    if _is_row_of_pairs(groups[first : last + 1]) and not len(groups) == last + 1 - first == FRENCH_PAIRS:
        return False
    if "." in part and last - first < 2:  # two numbers with a point are a decimal or an article's number
        return False
    has_form = digits[0] == "0" and _has_phone_groups([group[0] for group in groups[first : last + 1]])
    return has_form and any(_is_of_plan(region, digits) for region in TRUNK_REGIONS)


def _is_row_of_pairs(groups: Sequence[re.Match[str]]) -> bool:
    """Return whether all groups have two digits: a French number, or a part of any longer row of numbers."""
    return all(len(group[0]) == 2 for group in groups)


def _has_phone_groups(groups: Sequence[str]) -> bool:
    """Return whether digits are grouped as people write numbers: 030 123456, 01 23 45 67 89, 0172/123 45-67."""
    return (
        2 <= len(groups[0]) <= 6
        and all(2 <= len(group) <= 9 for group in groups[1:-1])
        and len(groups[1]) > 1
    )


def _is_of_plan(region: str, digits: str) -> bool:
    return any(_plan(region).fullmatch(form) for form in _national_forms(region, digits))


def _is_mobile(region: str, digits: str) -> bool:
    return any(_plan(region, "mobile").fullmatch(form) for form in _national_forms(region, digits))


def _national_forms(region: str, digits: str) -> Iterator[str]:
    """Yield the number as the plan has it: without the trunk prefix, where the region has one."""
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = (metadata.national_prefix if metadata else None) or ""
    if not prefix or region in ("US", "AU"):  # where people leave it out
        yield digits
    if prefix and digits.startswith(prefix):
        yield digits.removeprefix(prefix)


@lru_cache(maxsize=1000)
def _plan(region: str, kind: str = "") -> re.Pattern[str]:
    """Return the pattern of a region's numbers, of one kind or of all."""
    metadata = PhoneMetadata.metadata_for_region(region) or PhoneMetadata.metadata_for_nongeo_region(
        int(region)
    )
    plans = [getattr(metadata, each) for each in ((kind,) if kind else PLAN_KINDS)]
    patterns = [plan.national_number_pattern for plan in plans if plan and plan.national_number_pattern]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)", re.ASCII)


def _digits(part: str) -> str:
    return "".join(filter(str.isdecimal, part))

"""Card numbers and IBANs, by their check digits."""

import re
from collections.abc import Sequence

from stdnum import iban, luhn

from bot.redaction.markers import CARD, IBAN

DIGIT_RUN = re.compile(r"(?<![\w.])(?<!\d,)\d++(?:[ \u00a0\u202f-]\d++)*+(?!\w|[.,]\d)")
HAS_DIGITS = re.compile(r"(?:\D*+\d){14}")
"""Matches a text that has enough digits for a card number; to look for these is quick."""
GROUP = re.compile(r"\d+")
CARD_GROUPS = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), *((n,) for n in range(14, 20))})
"""Digits of the groups in which the numbers stand on cards."""
ISSUERS = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d+|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{10,15}"
)
"""First digits and lengths by ISO/IEC 7812 ranges: Visa, Mastercard, American Express, Discover, Diners, JCB,
UnionPay, Maestro."""
MASTERCARD_LENGTH = 16

IBAN_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?:[ \u00a0\u202f-]?[A-Za-z0-9]){11,30}")
CHECK_DIGITS = re.compile(r"\d\d")
WORD_END = re.compile(r"(?<=[A-Za-z0-9])(?![A-Za-z0-9])")


def redact_card_numbers(text: str) -> str:
    """Return the text with `[card number]` for each number of a known issuer with a right check digit (Luhn)."""
    return DIGIT_RUN.sub(_without_cards, text) if HAS_DIGITS.match(text) else text


def _without_cards(match: re.Match[str]) -> str:
    run = match[0]
    groups = list(GROUP.finditer(run))
    pieces, end, place = [], 0, 0
    while place < len(groups):
        count = _card_groups(groups, place)
        if count:
            pieces += [run[end : groups[place].start()], CARD]
            end = groups[place + count - 1].end()
        place += count or 1
    return "".join((*pieces, run[end:]))


def _card_groups(groups: Sequence[re.Match[str]], start: int) -> int:
    """Return how many groups from there on are a card number; 0 for none."""
    for count in (5, 4, 3, 1):
        window = [group[0] for group in groups[start : start + count]]
        is_whole = len(window) == count and tuple(map(len, window)) in CARD_GROUPS
        if is_whole and is_card_number("".join(window)):
            return count
    return 0


def is_card_number(digits: str) -> bool:
    """Return whether digits are a card number of a known issuer."""
    is_mastercard = digits[0] in "52" and digits[:2] != "50" and digits[:4] != "5893"
    if not ISSUERS.fullmatch(digits) or (is_mastercard and len(digits) != MASTERCARD_LENGTH):
        return False
    return bool(luhn.is_valid(digits))


def redact_ibans(text: str) -> str:
    """Return the text with `[IBAN]` for each account number of its country's form with right check digits."""
    return IBAN_CANDIDATE.sub(_without_iban, text) if CHECK_DIGITS.search(text) else text


def _without_iban(candidate: re.Match[str]) -> str:
    words = candidate.string[candidate.start() : candidate.end() + 1]
    ends = [match.start() for match in WORD_END.finditer(words) if match.start() <= len(candidate[0])]
    for end in reversed(ends):
        number = candidate[0][:end].replace("\u00a0", " ").replace("\u202f", " ")
        if iban.is_valid(number, check_country=False):
            return IBAN + candidate[0][end:]
    return candidate[0]

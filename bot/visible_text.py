"""Foreign text made safe to show: control characters, and characters that turn the direction of what follows."""

import re
import unicodedata

# line feed and tab are Cc, and stay; the Arabic and Kaithi number signs and annotation anchors of hieroglyphs are Cf,
# but have a shape of their own, and stay as well
CONTROL = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
INVISIBLE = re.compile(f"[{CONTROL}]")
UNPRINTABLE_IN_JSON = re.compile(f"[{CONTROL}\u2028\u2029]")
LINE_BREAK = re.compile("\r\n?|[\u0085\u2028\u2029\x0b\x0c]")
SURROGATE = re.compile("[\ud800-\udfff]")
JOINERS = "\u200c\u200d"
EMOJI_VARIATION = "\ufe0f"
FLAG_TAGS = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
"""The flags of England, Scotland and Wales, by UTS #51: a black flag and letters that nothing else may hold."""
ISOLATE = re.compile("(\u2068[^\u2066-\u2069\n]*\u2069)")
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
"""Bidirectional classes of UAX #9 whose characters turn the text around them."""
FIRST_ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"


def visible(text: str) -> str:
    """Return the text without control and direction characters; lines, tabs, and joiners that show stay."""
    if text.isascii() and text.isprintable():
        return text
    text = SURROGATE.sub("\ufffd", LINE_BREAK.sub("\n", text))
    pieces, end = [], 0
    for flag in FLAG_TAGS.finditer(text):
        pieces += [INVISIBLE.sub(_joiner_that_shows, text[end : flag.start()]), flag[0]]
        end = flag.end()
    return "".join((*pieces, INVISIBLE.sub(_joiner_that_shows, text[end:])))


def visible_line(text: str) -> str:
    """Return the text in one line, without control and direction characters."""
    return " ".join(visible(text).split("\n"))


def visible_with_isolates(text: str) -> str:
    """Return the text without control and direction characters, but with what `isolated` has put around names."""
    return "".join(
        f"{FIRST_ISOLATE}{visible(piece)}{END_OF_ISOLATE}" if place % 2 else visible(piece)
        for place, piece in enumerate(ISOLATE.split(text))
    )


def isolated(text: str) -> str:
    """Return a name or an id so that letters written from right to left in it turn nothing around it."""
    if text.isascii() or not any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in text):
        return text
    return f"{FIRST_ISOLATE}{text}{END_OF_ISOLATE}"


def escape_json(document: str) -> str:
    """Return a JSON document that shows no control or direction character; it holds exactly the same data."""
    return UNPRINTABLE_IN_JSON.sub(_json_escape, document)


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def _joiner_that_shows(match: re.Match[str]) -> str:
    """Keep a joiner inside a word of a script that needs it, or between emoji; drop all else."""
    if match[0] not in JOINERS:
        return ""
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    if _is_joining_letter(before) and _is_joining_letter(after):
        return match[0]
    is_emoji = before == EMOJI_VARIATION or unicodedata.category(before or " ") in ("So", "Sk")
    return match[0] if is_emoji and unicodedata.category(after or " ") == "So" else ""


def _is_joining_letter(sign: str) -> bool:
    """Return whether a character is a letter or mark of a script other than Latin, Greek or Cyrillic."""
    return sign > "\u058f" and unicodedata.category(sign)[0] in "LM"

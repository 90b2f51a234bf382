"""Written values by judge, and the labels they are; None where a doubt is left."""

from typing import Literal

import numpy as np

from memalign.records import Json, Label
from memalign.value_types import FeedbackValueType

NAN, INF = float("nan"), float("inf")

Samples = list[tuple[Json, Label | None]]
Bounds = tuple[float, float] | None

SAMPLES: list[tuple[FeedbackValueType, Bounds, Samples]] = [
    (
        bool,
        None,
        [
            *[
                (value, True)
                for value in (True, 1, 1.0, "1", "1.0", " TRUE ", "Yes", "yes.", "**Yes**", "`true`")
            ],
            *[
                (value, True)
                for value in (np.float32(1), np.int64(1), np.bool_(True), "１", "Ｙｅｓ", "„ja“", "«yes»")
            ],
            *[
                (value, True)
                for value in ("pass", "Passed!", "Verdict: pass", "Answer: **yes**", "y", "right")
            ],
            *[
                (value, True)
                for value in ("yes because it greets", "Yes, it greets.", "yes — kind", "true: kind")
            ],
            *[
                (value, False)
                for value in (False, 0, 0.0, -0.0, "0", "0.0", "No", "No.", "**No**", "FAIL", "falsch")
            ],
            *[
                (value, False)
                for value in ("No, it is rude.", "No.\nIt is rude.", "fail: rude", "no (rude)", "'no'")
            ],
            *[
                (value, None)
                for value in (2, 0.5, "2", "0.5", NAN, INF, None, "", "maybe", "yes and no", "yes/no")
            ],
            *[
                (value, None)
                for value in ("It is not impolite", "not bad", "No problem here", "yes?", "true or false")
            ],
            *[
                (value, True)
                for value in (
                    "oui",
                    "Vrai.",
                    "sí",
                    "はい",
                    "是",
                    "(yes)",
                    "Yes\u200b",
                    "\u200fyes",
                    "\ufeffja",
                )
            ],
            *[
                (value, False)
                for value in (
                    "Non, c'est impoli",
                    "いいえ：失礼",
                    "いいえ。失礼",
                    "否",
                    "faux",
                    "No… rude",
                    "（いいえ）",
                )
            ],
            *[(value, None) for value in ("yes, but no", "No, not really", "Yes. No.", "tr", "1. First")],
        ],
    ),
    (
        int,
        (1, 5),
        [
            *[
                (value, 4)
                for value in (4, 4.0, "4", "4.0", " 4 ", "+4", "４", "４：", "4:", "4.", "**4**", "„4“", "٤")
            ],
            *[
                (value, 4)
                for value in (np.int32(4), np.float64(4), "4/5", "4 / 5", "4 out of 5", "4 von 5", "4,0")
            ],
            *[
                (value, 4)
                for value in (
                    "4 because",
                    "4 because it is curt",
                    "4 stars",
                    "Score: 4",
                    "4 - curt",
                    "4：語気",
                )
            ],
            *[
                (value, 4)
                for value in ("4: two of 5 are rude", "4 – no greeting", "4\nNo greeting", "4 Punkte")
            ],
            *[
                (value, 4)
                for value in (
                    "4 (curt)",
                    "４（短い）",
                    "(4)",
                    "[4]",
                    "4)",
                    "4/5点",
                    "4 sur 5",
                    "4 étoiles",
                    "4\u200b",
                )
            ],
            *[
                (value, None)
                for value in ("4 (or 5)", "4 (maybe 3)", "4 (but 5 for tone)", "(4, 5)", "4, 短い")
            ],
            (1, 1),
            ("5/5", 5),
            *[
                (value, None)
                for value in (0, 6, 10, "10", -1, 4.5, "4.5", True, "true", NAN, INF, "four", "", None)
            ],
            *[
                (value, None)
                for value in ("4-5", "4–5", "4 or 5", "4, 5", "4 to 5", "4?", "4:30", "4th", "5²", "~4~")
            ],
            *[
                (value, None)
                for value in ("2/10", "4%", "about 4", "4 errors", "1. First, it greets", "9" * 5000, "4 5")
            ],
        ],
    ),
    (
        int,
        None,
        [
            *[(value, -3) for value in (-3, "-3", "−3", "－3", -3.0)],
            *[("2/5", None), ("1,000", None), ("1 000", None), (".5", None), ("1e3", 1000), ("10", 10)],
        ],
    ),
    (
        float,
        None,
        [
            *[
                (value, 0.85)
                for value in (0.85, ".85", "0.85", "0,85", ",85", "０．８５", "**.85**", "+.85", "0.850")
            ],
            *[
                ("-.5", -0.5),
                (4, 4.0),
                ("4", 4.0),
                ("1e-1", 0.1),
                ("0,125", 0.125),
                ("3,5", 3.5),
                (-0.0, 0.0),
            ],
            *[
                (value, None)
                for value in ("85%", "8.5.1", "1,000", "1,234.5", "nan", "inf", "1e999", NAN, -INF, "")
            ],
            ([], None),
            ({}, None),
            *[(value, None) for value in ("2/5", "0.5-0.7", "0.5 or so", "high", True, 10**400)],
        ],
    ),
    (
        float,
        (0, 1),
        [("85%", 0.85), ("85 %", 0.85), (0.5, 0.5), (1, 1.0), ("1.2", None), ("-0.1", None), ("1/1", 1.0)],
    ),
    (float, (0, 100), [("85%", 85.0), (85, 85.0), ("85/100", 85.0), (101, None)]),
    (
        Literal[1, 2, 3, 4, 5],
        None,
        [
            *[
                (value, 4)
                for value in (4, 4.0, "4", "4.0", "４", "4：curt", "4/5", "4 because", np.float32(4))
            ],
            *[(value, None) for value in (6, 4.5, True, NAN, "4-5", "4/10")],
        ],
    ),
    (
        ["very good", "gut", "schlecht", "café"],
        None,
        [
            *[("Very  Good", "very good"), ("very_good", "very good"), ("very-good.", "very good")],
            *[
                (value, "gut")
                for value in ("gut", "GUT", "„gut“", "»gut«", "‚Gut‘", "gut：höflich", "gut: ok", "*gut*")
            ],
            *[
                (value, "gut")
                for value in ("gut – höflich", "gut because it is kind", "“gut”: kind", "ｇｕｔ", "gut: ok")
            ],
            *[
                (value, "gut")
                for value in ("(gut)", "【gut】", "Kategorie: gut", "Category: **gut**", "g\u200but")
            ],
            *[(value, "café") for value in ("café", "cafe\u0301", "CAFÉ", "CAFE\u0301.")],
            *[
                (value, None)
                for value in ("cafe", "gut oder schlecht", "gut, aber", "nicht gut", "good", 1, True, "")
            ],
        ],
    ),
    (["yes", "no"], None, [(True, "yes"), (False, "no"), ("No.", "no"), (1, None), ("yes or no", None)]),
    (["1", "2"], None, [(1, "1"), (1.0, "1"), ("1.0", "1"), (3, None), (True, None)]),
    (["1: poor", "2: fine"], None, [("2: fine", "2: fine"), ("2： Fine", "2: fine"), ("2", None)]),
    (
        str,
        None,
        [
            *[("  fine ", "fine"), ("„fine“", "fine"), ("cafe\u0301", "café"), ("4", "4"), ("It's", "It's")],
            *[("cut \ud83d", "cut \ufffd"), ("", None), ("  ", None), (None, None), (NAN, None)],
        ],
    ),
]

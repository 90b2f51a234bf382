"""A test of "worse" that may be looked at after every vote."""

from math import comb

WARNING_EVIDENCE = 100
"""Evidence from which people are warned: by Ville's inequality, no better judge reaches it in more than one week of a
hundred. At 20, the counterpart of p < .05, each judge would give two or three false alarms a year, and a team learns
to pass over warnings that are mostly wrong."""


def evidence_of_worse(fixed: int, broken: int) -> float:
    """Return the evidence against "at most half of the changed verdicts are changes for the worse".

    It is an e-value: the likelihood of the counts at a share q of broken verdicts against that at one half, averaged
    over all q between one half and one. Each ratio is a supermartingale as long as the true share is at most one half,
    so that the chance that the average ever reaches e is at most 1/e, however often and whenever one looks. With
    n = fixed + broken the average is

        Σ_{i ≤ broken} C(n + 1, i)  /  ((n + 1) · C(n, broken))

    H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Stat. 41 (1970);
    A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", Stat.
    Sci. 38 (2023).

    Args:
        fixed: Verdicts that are right now, and would have been wrong with the other memory.
        broken: Verdicts that are wrong now, and would have been right with the other memory.

    Returns:
        The evidence, above 0: 1 without any verdict.
    """
    n = fixed + broken
    worse = sum(comb(n + 1, count) for count in range(broken + 1))
    return worse / ((n + 1) * comb(n, broken))

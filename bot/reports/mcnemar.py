"""McNemar's test: do two judges, asked about the same traces, err equally often?"""

from math import comb


def mcnemar_mid_p(fixed: int, broken: int) -> float:
    """Return the two-sided mid-p value of McNemar's exact test on paired verdicts.

    Only the n = fixed + broken pairs tell anything of which one judge alone is right. With k the smaller count and
    X binomial (n, 1/2), the value is

        2 · (P(X < k) + P(X = k) / 2)

    which is the exact test's without half of what makes it too cautious. Q. McNemar, "Note on the sampling error of
    the difference between correlated proportions or percentages", Psychometrika 12 (1947); M. W. Fagerland,
    S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", BMC Med. Res. Methodol. 13 (2013).

    Args:
        fixed: Pairs of which the first judge alone is right.
        broken: Pairs of which the second judge alone is right.

    Returns:
        The value, above 0 and at most 1; 1 without such pairs.
    """
    pairs, fewer = fixed + broken, min(fixed, broken)
    below = sum(comb(pairs, count) for count in range(fewer))
    return (2 * below + comb(pairs, fewer)) / (1 << pairs)

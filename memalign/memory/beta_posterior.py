"""Beta distribution of how often verdicts that a guideline leads to are right, given its record.

Let t be the share of right verdicts among those that a guideline leads to. Before any vote it is Beta(2, 1), after
`up` and `down` votes Beta(2 + up, 1 + down): the beta distribution is conjugate to the binomial one (Gelman et al.,
"Bayesian Data Analysis", 3rd edition, section 2.4). The guideline is in doubt where P(t < 1/2) is above 0.9.
"""

from functools import lru_cache

from memalign.records import GuidelineRecord

PRIOR_UP, PRIOR_DOWN = 2, 1
"""Parameters of the prior: a guideline comes from people's reasons, and so is more likely right than wrong. Set by
simulation: a guideline whose verdicts are right 12 % of the time is in doubt after a median of 5 votes, and none whose
verdicts are right 85 to 92 % of the time is."""
DOUBT_PROBABILITY = 0.9
"""Probability above which a guideline that is wrong more often than right is taken for such. Of the same simulation."""


def posterior_mean(record: GuidelineRecord) -> float:
    """Estimate how often verdicts that a guideline leads to are right.

    Args:
        record: The votes on them.

    Returns:
        The mean of Beta(2 + up, 1 + down), above 0 and below 1; 2/3 without votes.
    """
    votes = record.up + record.down
    return (PRIOR_UP + record.up) / (PRIOR_UP + PRIOR_DOWN + votes)


def probability_below_half(record: GuidelineRecord) -> float:
    """Find how likely it is that verdicts which a guideline leads to are wrong more often than right.

    Args:
        record: The votes on them.

    Returns:
        P(t < 1/2) of Beta(2 + up, 1 + down), that is the regularized incomplete beta function at 1/2. For integer
        parameters it is a sum of binomial probabilities (NIST Digital Library of Mathematical Functions, 8.17.5).
    """
    return _probability_below_half(record.up, record.down)


def is_doubtful(record: GuidelineRecord) -> bool:
    """Tell whether verdicts that a guideline leads to are almost surely wrong more often than right.

    Args:
        record: The votes on them.

    Returns:
        True if `probability_below_half` is above 0.9.
    """
    return probability_below_half(record) > DOUBT_PROBABILITY


@lru_cache(maxsize=4096)
def _probability_below_half(up: int, down: int) -> float:
    successes, trials = PRIOR_UP + up, PRIOR_UP + up + PRIOR_DOWN + down - 1
    ways, fewer = 1, 0
    for number in range(successes):
        fewer += ways
        ways = ways * (trials - number) // (number + 1)
    return 1 - fewer / (1 << trials)

"""A wrong signing secret or clock, told while it lasts."""

import logging
from collections.abc import Mapping

from bot.runtime.health import HealthRegistry
from bot.runtime.log_throttle import LogThrottle
from bot.slack.signature import SignatureCheck

log = logging.getLogger(__name__)

COMPONENT = "Slack"
SUBJECT = "Slack's requests"
REASONS: Mapping[SignatureCheck, str] = {
    "wrong secret": (
        "their signature does not fit SLACK_SIGNING_SECRET; copy the Signing Secret anew from the app's page "
        "“Basic Information”. If the app works all the same, somebody else sends them"
    ),
    "wrong clock": (
        "by Slack's clock they were signed more than 5 minutes ago, so somebody sends old requests again. "
        "While Slack does not say what time it is, this machine's clock may be wrong instead"
    ),
}


class SignatureHealth:
    """Reports refused signatures, until a valid one comes."""

    def __init__(self, health: HealthRegistry) -> None:
        self._health = health
        self._throttle = LogThrottle()

    def report(self, check: SignatureCheck) -> None:
        """Note the result of a check; requests without a signature are none of Slack's and say nothing."""
        if check == "valid":
            self._health.report(COMPONENT, SUBJECT, None)
        if reason := REASONS.get(check):
            self._health.report(COMPONENT, SUBJECT, reason)
            left_out = self._throttle.admit(check)
            if left_out is not None:
                log.warning("%s: %s (%d more before)", SUBJECT, reason, left_out)

"""`memalign check`: one line for each thing tried."""

from argparse import Namespace

from bot.cli.checks import findings
from bot.config import Secrets, load_environment, load_settings
from memalign.errors import SettingsError


async def check(options: Namespace) -> None:
    """Print the findings. Raises `SettingsError` when something is not fine."""
    load_environment(options.config.parent)
    settings = load_settings(options.config)
    print(f"ok    settings {options.config}")
    tried, wrong = 1, 0
    async for finding in findings(settings, Secrets.from_environment()):
        tried += 1
        wrong += not finding.fine
        print(f"{'ok   ' if finding.fine else 'WRONG'} {finding.what}: {finding.words}", flush=True)
    if wrong:
        raise SettingsError(f"{wrong} of {tried} checks need a remedy; see the lines marked WRONG.")

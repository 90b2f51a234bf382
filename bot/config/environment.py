"""Secrets and addresses from the environment and from `.env` files."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field

from memalign.models.address import check_address

SLACK_API = "https://slack.com/api/"


class Secrets(BaseModel):
    """Secrets and addresses; `repr` leaves the secrets out."""

    model_config = ConfigDict(frozen=True)

    bot_token: str = Field(default="", repr=False)
    app_token: str = Field(default="", repr=False)
    signing_secret: str = Field(default="", repr=False)
    ingest_token: str = Field(default="", repr=False)
    api_url: str = SLACK_API

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Secrets":
        """Read the environment variables. Raises `SettingsError` if SLACK_API_URL is no address of its own."""
        url = environment.get("SLACK_API_URL", "").strip() or SLACK_API
        check_address("SLACK_API_URL", url)
        return cls(
            bot_token=environment.get("SLACK_BOT_TOKEN", "").strip(),
            app_token=environment.get("SLACK_APP_TOKEN", "").strip(),
            signing_secret=environment.get("SLACK_SIGNING_SECRET", "").strip(),
            ingest_token=environment.get("MEMALIGN_INGEST_TOKEN", "").strip(),
            api_url=url.rstrip("/") + "/",
        )


def load_environment(folder: Path) -> None:
    """Add variables from the `.env` of the working folder, then of `folder`; those that are set stay as they are."""
    for file in (Path(".env"), folder / ".env"):
        for key, value in dotenv_values(file).items():
            if value is not None:
                os.environ.setdefault(key, value)

"""`python -m bot.cli.health_check FILE`: the container's health check, on the port of the settings file.

It runs every few seconds beside the bot, so it imports nothing but the standard library.
"""

import http.client
import sys
import tomllib
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is dialled, not bound
TIMEOUT_SECONDS = 3


def is_healthy(file: Path) -> bool:
    """Return whether the bot of a settings file answers `GET /healthz`."""
    ingest = tomllib.loads(file.read_text(encoding="utf-8")).get("ingest", {})
    host = ingest.get("host", DEFAULT_HOST)
    connection = http.client.HTTPConnection(
        LOOPBACK_OF.get(host, host), ingest.get("port", DEFAULT_PORT), timeout=TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_healthy(Path(sys.argv[1])))

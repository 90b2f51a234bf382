"""The browser that tests drive, where there is one."""

import shutil

from playwright.async_api import expect

CHROMIUM = next(
    (path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None
)
MISSING = "No chromium, chromium-browser or google-chrome on PATH; install one to try the page."
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=60_000)  # milliseconds: a busy machine shall not fail a test

"""Addresses of services."""

import ipaddress
from urllib.parse import urlsplit

from memalign.errors import SettingsError


def check_address(name: str, url: str) -> None:
    """Check an address, which is never shown since it may hold a password.

    Args:
        name: The environment variable or the key that holds it, for the error.
        url: The address.

    Raises:
        SettingsError: If it is no http or https address, or holds a user name or password.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingsError(f"{name} is no address; expected one such as https://example.com/v1.")
    if "@" in parts.netloc:
        raise SettingsError(f"{name} holds a user name or password; take them out of the address.")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host.

    Args:
        host: A name or an address, without a port.

    Returns:
        True for `localhost` and the addresses of the loopback interface.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

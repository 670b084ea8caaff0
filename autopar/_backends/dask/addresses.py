"""Addresses of clusters: what they mean, and which of them are safe to talk to."""

from __future__ import annotations

import ipaddress

from autopar.errors import UnavailableError

LOCAL = "local"
"""Stands for a cluster on this machine that is started at the first need."""

ENCRYPTED = ("tls", "wss", "ucxs")


def check_address(address: str, *, plaintext: bool) -> str:
    """The address, if it may be connected to.

    Whoever reads along on an unencrypted connection sees the data, and whoever can write to it runs code: Dask's
    protocol is pickles. So beyond this machine that takes the user's word.

    Raises
    ------
    UnavailableError
        It is another machine's, not encrypted, and ``plaintext`` is not set.

    Examples
    --------
    >>> check_address("tls://10.0.0.7:8786", plaintext=False)
    'tls://10.0.0.7:8786'
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "tcp", address
    if scheme in ENCRYPTED or scheme == "inproc" or plaintext or is_loopback(host_of(rest)):
        return address
    raise UnavailableError(
        f"the connection to cluster={address!r} would not be encrypted, and whoever can reach it could run code; use "
        f'"tls://{rest}" with the certificates in Dask\'s configuration, pass a distributed.Client of your own, or say '
        "plaintext=True if the network is private"
    )


def host_of(rest: str) -> str:
    """The host of ``host:port``; hosts of IPv6 are in brackets."""
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.partition(":")[0] if rest.count(":") <= 1 else rest


def is_loopback(host: str) -> bool:
    """The host is this machine by definition, and nobody else can listen."""
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

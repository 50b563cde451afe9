"""Networks, by which strangers are counted who may change their address within one."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

__all__ = ["network_of"]


def network_of(host: str | None, *, bits: int, bits6: int) -> str:
    """The network of `host`, the first `bits` of an IPv4 address (also within IPv6), `bits6` of another IPv6 one.

    What is no address is in the network ``unknown``.
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    address = getattr(address, "ipv4_mapped", None) or address
    length = bits6 if isinstance(address, IPv6Address) else bits
    return str(ip_network((address.packed, length), strict=False))

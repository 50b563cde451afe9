"""Requests that leave for public addresses alone (SSRF).

What a feed redirects to, or its name leads to, is a stranger's choice, and must not be a machine behind our own
firewall, loopback, or a cloud's metadata service.

A name is resolved once, every address that it has is looked at, and the connection goes to one of those: another answer
of the DNS between look and connection (rebinding) changes nothing. Redirects come through here one by one. Through a
proxy of the environment the names are the proxy's to resolve; there, only addresses written as such are looked at.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.request import getproxies, proxy_bypass

import httpx

__all__ = ["ALLOWED", "InwardError", "Outward", "is_inner_name", "public"]

ALLOWED = "newsletter.internal"  # a request's extension: the hosts that it may reach wherever they are
_TRANSLATED = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last four bytes
_INNER = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")  # RFC 6761, 6762, 8375; custom

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[Address]]


class InwardError(httpx.UnsupportedProtocol):
    """The request would go to an address that is not public."""


def public(address: Address) -> bool:
    """Whether anyone on the Internet could reach it; an address inside another (mapped, 6to4, NAT64) counts itself."""
    inner = _embedded(address)
    return address.is_global and not address.is_multicast and (inner is None or public(inner))


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def is_inner_name(host: str) -> bool:
    """An address, or a name that no public DNS can give to a stranger: who writes it down means a machine of theirs."""
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_INNER) or _literal(name) is not None


def resolve(host: str, port: int) -> Sequence[Address]:
    """Every address of the name; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))


@dataclass(slots=True)
class Outward(httpx.BaseTransport):
    """httpx's own transport behind that rule."""

    resolve: Resolve = resolve
    _open: dict[str, httpx.HTTPTransport] = field(default_factory=dict)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; raises InwardError, or what httpx raises."""
        host, port = request.url.host, request.url.port or {"https": 443}.get(request.url.scheme, 80)
        free = _is_allowed(host, port, request.extensions.get(ALLOWED, ()))
        if proxy := _proxy(request.url):
            _look(host, [literal] if (literal := _literal(host)) else [], free=free)
            return self._transport(proxy, proxy=proxy).handle_request(request)
        try:
            found = self.resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{host} has no address", request=request) from error
        _look(host, found, free=free)
        return self._to_first(found, request)

    def close(self) -> None:
        """End every connection."""
        for transport in self._open.values():
            transport.close()

    def _to_first(self, addresses: Sequence[Address], request: httpx.Request) -> httpx.Response:
        """From the first of the addresses that takes a connection."""
        transport = self._transport(request.url.host)
        for address in addresses[:-1]:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return transport.handle_request(_pinned(request, address))
        return transport.handle_request(_pinned(request, addresses[-1]))

    def _transport(self, name: str, proxy: str | None = None) -> httpx.HTTPTransport:
        """One for each name, so that no connection is shared between names at one address."""
        if name not in self._open:
            self._open[name] = httpx.HTTPTransport(proxy=proxy)
        return self._open[name]


def _look(host: str, addresses: Sequence[Address], *, free: bool) -> None:
    inner = [address for address in addresses if not public(address)]
    if inner and not free:
        raise InwardError(f"it leads to {host} ({inner[0]}), which is not a public address")


def _is_allowed(host: str, port: int, allowed: Sequence[str]) -> bool:
    """`allowed` are hosts, and hosts with a port."""
    return host.lower() in allowed or f"{host.lower()}:{port}" in allowed


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The request to this address; the Host header and the certificate are the name's as before."""
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    url = request.url.copy_with(host=str(address))
    return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)


def _literal(host: str) -> Address | None:
    """The address that a host is, in any spelling that the system's resolver takes (``2130706433`` is loopback)."""
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError, UnicodeEncodeError):
        return IPv4Address(socket.inet_aton(host))
    return None


def _proxy(url: httpx.URL) -> str | None:
    """The proxy that the environment names for this address."""
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(f"{url.host}:{url.port}" if url.port else url.host):
        return None
    return found if "://" in found else f"http://{found}"

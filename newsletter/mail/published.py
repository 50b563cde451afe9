"""What a sender's domain says in DNS, and whether receivers will believe letters from it.

SPF (RFC 7208), DKIM keys (RFC 6376), DMARC and alignment (RFC 7489), MX (RFC 5321, RFC 7505), PTR (RFC 1912). The
questions go through `Names`, so that tests ask a server of their own; the judgements are pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dns.resolver import Resolver

__all__ = ["Finding", "Names", "dkim_keys", "dmarc", "mx", "ptr", "spf"]

Grade = Literal["good", "warning", "bad", "unknown"]
_SPF_LOOKUPS = 10  # RFC 7208 section 4.6.4
_GMAIL_BULK = "https://support.google.com/a/answer/81126"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, in a sentence, and what to do about it (empty where it is good)."""

    check: str
    grade: Grade
    says: str
    do: str = ""


class UnansweredError(Exception):
    """The name servers gave no answer at all, so nothing is known."""


@dataclass(frozen=True, slots=True)
class Names:
    """DNS, with the answers as text. No such name, or none of that kind: an empty list. Raises UnansweredError."""

    resolver: Resolver
    seconds: float = field(default=5.0)

    def txt(self, name: str) -> list[str]:
        return [b"".join(row.strings).decode("utf-8", "replace") for row in self._ask(name, "TXT")]

    def mx(self, name: str) -> list[str]:
        return [str(row.exchange).rstrip(".") for row in self._ask(name, "MX")]

    def addresses(self, host: str) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return [row.address for kind in ("A", "AAAA") for row in self._ask(host, kind)]

    def hosts_of(self, address: str) -> list[str]:
        from dns.reversename import from_address

        return [str(row.target).rstrip(".") for row in self._ask(str(from_address(address)), "PTR")]

    def _ask(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            return list(self.resolver.resolve(name, kind, lifetime=self.seconds, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise UnansweredError(f"{kind} of {name}: {error}") from error


def spf(names: Names, domain: str) -> Finding:
    """The policy of the return address's domain: there, one, and not more than ten look-ups deep."""
    check = f"SPF of {domain}"
    records = _spf_records(names, domain)
    if len(records) != 1:
        do = f'Publish one TXT record at {domain}, such as "v=spf1 include:YOUR-MAIL-PROVIDER -all"'
        return Finding(check, "bad", f"{len(records)} records that begin with v=spf1; there must be one", do)
    terms = records[0].split()[1:]
    if "+all" in terms or "all" in terms:
        return Finding(check, "bad", f"everyone may send: {records[0]}", "End the record with -all or ~all")
    count = _spf_lookups(names, records[0], {domain})
    if count > _SPF_LOOKUPS:
        do = "Drop includes that you do not use; beyond ten, receivers ignore the record"
        return Finding(check, "bad", f"{count} look-ups, of which ten are allowed", do)
    if not any(term.lstrip("-~?").startswith(("all", "redirect=")) for term in terms):
        return Finding(check, "warning", f"says nothing of others: {records[0]}", "End the record with -all or ~all")
    return Finding(check, "good", f"{records[0]} ({count} look-ups)")


def dkim_keys(names: Names, records: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the key that signs our letters is the one that receivers find; `records` as `DkimSigner.records`."""
    for name, ours in records.items():
        check, found = f"DKIM key {name}", names.txt(name)
        do = f'Publish this TXT record at {name}: "{ours}"'
        if not found:
            yield Finding(check, "bad", "there is no record, so no signature can be verified", do)
        elif _tags(found[0]).get("p", "") == "":
            yield Finding(check, "bad", "the key is revoked (p= is empty)", do)
        elif _tags(found[0])["p"] != _tags(ours)["p"]:
            yield Finding(check, "bad", "the record holds another key than dkim.key_file", do)
        else:
            yield Finding(check, "good", "the record holds our key")


def dmarc(names: Names, author: str, signing: str, returning: str) -> Finding:
    """The policy of the author's domain, and whether DKIM's or SPF's domain agrees with it (RFC 7489 section 3.1)."""
    check = f"DMARC of {author}"
    record = _dmarc_record(names, author)
    if not record:
        do = f'Publish a TXT record at _dmarc.{author}: "v=DMARC1; p=none; rua=mailto:YOU", later p=quarantine'
        return Finding(check, "bad", f"there is no record; large providers want one ({_GMAIL_BULK})", do)
    tags = _tags(record)
    aligned = [
        name
        for name, domain, mode in (("DKIM", signing, tags.get("adkim", "r")), ("SPF", returning, tags.get("aspf", "r")))
        if domain and _aligned(domain, author, strict=mode == "s")
    ]
    if not aligned:
        says = f"neither the signature ({signing or 'none'}) nor the return address ({returning}) is of this domain"
        return Finding(check, "bad", says, f"Sign with dkim.domain: {author}")
    if "DKIM" not in aligned:
        do = f"Sign with dkim.domain: {author}"
        return Finding(check, "warning", "only SPF agrees with it, which no forwarded letter survives", do)
    return Finding(check, "good", f"p={tags.get('p', '?')}, {' and '.join(aligned)} agree")


def mx(names: Names, domain: str) -> Finding:
    """Whether the domain takes mail: bounces and answers must get there."""
    check = f"MX of {domain}"
    hosts = names.mx(domain)
    if hosts == [""]:
        return Finding(check, "bad", "the domain takes no mail (null MX)", "Use an address that can be answered")
    if hosts:
        return Finding(check, "good", ", ".join(sorted(hosts)))
    if names.addresses(domain):
        return Finding(check, "warning", "no MX record; mail goes to the domain's own address", "Publish an MX record")
    return Finding(check, "bad", "the domain takes no mail, so bounces and answers are lost", "Publish an MX record")


def ptr(names: Names, host: str) -> Finding:
    """Whether the mail server's address has a name that leads back to it, which receivers ask of senders."""
    check = f"PTR of {host}"
    addresses = names.addresses(host)
    if not addresses:
        return Finding(check, "bad", "the mail server's name has no address", "Check smtp.host")
    public = [address for address in addresses if ipaddress.ip_address(address).is_global]
    if not public:
        do = "Look up the address that it sends from: dig -x ADDRESS must name it, and that name the address"
        return Finding(check, "unknown", "the server is in this network; its outer address is not known here", do)
    for address in public:
        if not any(address in names.addresses(name) for name in names.hosts_of(address)):
            do = "Ask whoever runs the address to set its PTR record to the server's name"
            return Finding(check, "warning", f"{address} has no name that leads back to it", do)
    return Finding(check, "good", f"{', '.join(public)} and back")


def _spf_records(names: Names, domain: str) -> list[str]:
    return [text for text in names.txt(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def _spf_lookups(names: Names, record: str, seen: set[str]) -> int:
    count = 0
    for term in record.lower().split()[1:]:
        bare = term.lstrip("+-~?")
        inner = bare.partition(":")[2] if bare.startswith("include:") else bare.removeprefix("redirect=")
        if bare.startswith(("include:", "redirect=")):
            count += 1
            if inner not in seen and len(seen) <= _SPF_LOOKUPS:
                seen.add(inner)
                count += sum(_spf_lookups(names, other, seen) for other in _spf_records(names, inner)[:1])
        elif bare.startswith("exists:") or bare.partition(":")[0].partition("/")[0] in ("a", "mx", "ptr"):
            count += 1
    return count


def _dmarc_record(names: Names, domain: str) -> str:
    """The record of the domain, else of the nearest one above it that has one."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        found = [text for text in names.txt(f"_dmarc.{'.'.join(labels[start:])}") if text.startswith("v=DMARC1")]
        if len(found) == 1:
            return found[0]
    return ""


def _aligned(domain: str, author: str, *, strict: bool) -> bool:
    """Relaxed: one is the other or below it, which comes close to one organisation without a public suffix list."""
    return domain == author or (not strict and (domain.endswith(f".{author}") or author.endswith(f".{domain}")))


def _tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record (RFC 6376 section 3.2), blanks within values dropped."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, equals, value in pairs if equals}

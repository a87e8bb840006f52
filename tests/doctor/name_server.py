"""A DNS server on loopback that knows the zones of a test, and fails or keeps silent where it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone

from digest.doctor.lookup import Lookup


class NameServer:
    """`zones` maps origins to zone files. Names in `failing` get SERVFAIL; those in `silent` get no answer."""

    def __init__(self, zones: Mapping[str, str], failing: Iterable[str] = (), silent: Iterable[str] = ()) -> None:
        records = {
            origin: f"$TTL 60\n@ SOA ns. mail. 1 60 60 60 60\n@ NS ns.\n{text}" for origin, text in zones.items()
        }
        self._zones = [dns.zone.from_text(text, origin, relativize=False) for origin, text in records.items()]
        self._failing, self._silent = ({dns.name.from_text(name) for name in names} for names in (failing, silent))
        self.asked: list[str] = []

    def __enter__(self) -> NameServer:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ender:
            ender.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def lookup(self, each: float = 5.0, all_: float = 30.0) -> Lookup:
        """Somebody who asks this server."""
        return Lookup([self._socket.getsockname()], each, all_)

    def _serve(self) -> None:
        while True:
            packet, peer = self._socket.recvfrom(65_535)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            name, kind = query.question[0].name, query.question[0].rdtype
            self.asked.append(f"{name} {dns.rdatatype.to_text(kind)}")
            if name not in self._silent:
                self._socket.sendto(self._answer(query, name, kind).to_wire(), peer)

    def _answer(
        self, query: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        if name in self._failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        answer.set_rcode(dns.rcode.NOERROR if self._knows(name) else dns.rcode.NXDOMAIN)
        while (alias := self._find(name, dns.rdatatype.CNAME)) is not None:
            answer.answer.append(alias)
            name = alias[0].target
        if (found := self._find(name, kind)) is not None:
            answer.answer.append(found)
        return answer

    def _knows(self, name: dns.name.Name) -> bool:
        return any(known.is_subdomain(name) for zone in self._zones for known in zone)

    def _find(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        found = (zone.get_rrset(name, kind) for zone in self._zones if name.is_subdomain(zone.origin or dns.name.root))
        return next((rrset for rrset in found if rrset is not None), None)

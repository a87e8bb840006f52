"""Programs of other people that verify DKIM, asked offline: dkimpy, and from Debian OpenDKIM and Mail::DKIM."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import dkim as dkimpy  # type: ignore[import-untyped]  # it ships no types
import pytest

from digest.delivery.dkim import Signer, make_key, signer

AT = 1_700_000_000  # long ago, for verifiers refuse a signature from the future
RSA, ED25519 = signer("example.org", "rsa1", make_key("rsa")), signer("example.org", "ed1", make_key("ed25519"))
BOTH = (RSA, ED25519)
_OPENDKIM = shutil.which("opendkim") or "/usr/sbin/opendkim"
_PERL = r"""
use strict; use warnings;
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;

package Zone;
sub new {
    my ($class, $file) = @_;
    open my $lines, '<', $file or die "$file: $!";
    my %records = map { chomp; split / /, $_, 2 } <$lines>;
    return bless \%records, $class;
}
sub send {
    my ($records, $name, $type) = @_;
    my $packet = Net::DNS::Packet->new($name, $type);
    my @strings = ($records->{$name} // '') =~ /(.{1,255})/g;
    $packet->push(answer => Net::DNS::RR->new(owner => $name, type => 'TXT', txtdata => \@strings)) if @strings;
    return $packet;
}
sub errorstring { 'NOERROR' }

package main;
Mail::DKIM::DNS::resolver(Zone->new(shift));
for my $file (@ARGV) {
    my $verifier = Mail::DKIM::Verifier->new;
    open my $mail, '<:raw', $file or die "$file: $!";
    $verifier->PRINT($_) while <$mail>;
    $verifier->CLOSE;
    print join(' ', $file, $_->selector, $_->result), "\n" for $verifier->signatures;
}
"""


class Verifier:
    """One of the programs, and the DNS that it sees."""

    def __init__(self, signers: Sequence[Signer], folder: Path) -> None:
        self.folder, self.records = folder, {signer.dns_name: signer.dns_record for signer in signers}
        self.zone = folder / "zone"
        self.zone.write_text("".join(f"{name} {record}\n" for name, record in self.records.items()), encoding="ascii")

    def passed(self, *messages: bytes) -> list[set[str]]:
        """Of each message, the selectors of the signatures that it finds good."""
        files = [self.folder / f"{number}.eml" for number in range(len(messages))]
        for file, message in zip(files, messages, strict=True):
            file.write_bytes(message)
        good = self.good([str(file) for file in files])
        return [{selector for name, selector in good if name == str(file)} for file in files]

    def good(self, files: Sequence[str]) -> set[tuple[str, str]]:
        """The good signatures in files: file and selector."""
        raise NotImplementedError


class Dkimpy(Verifier):
    """Python, by other authors and on other libraries."""

    def good(self, files: Sequence[str]) -> set[tuple[str, str]]:
        return {(file, selector) for file in files for selector in self._good(Path(file).read_bytes())}

    def _good(self, message: bytes) -> Iterator[str]:
        selectors = re.findall(rb"^ s=([^;]+);\r$", message, re.MULTILINE)
        for at, selector in enumerate(selectors):
            with suppress(dkimpy.DKIMException):
                if dkimpy.DKIM(message).verify(idx=at, dnsfunc=self._look_up):
                    yield selector.decode()

    def _look_up(self, name: bytes, timeout: int = 5) -> bytes:
        return self.records[name.decode().rstrip(".")].encode()


class OpenDkim(Verifier):
    """C. It names one signature of a message only: the first good one, or a bad one."""

    def good(self, files: Sequence[str]) -> set[tuple[str, str]]:
        settings = self.folder / "opendkim.conf"
        settings.write_text(f"Mode v\nTestPublicKeys {self.zone}\n", encoding="ascii")
        told = _output([_OPENDKIM, "-x", str(settings), "-t", ",".join(files)])
        return set(re.findall(r"^opendkim: (\S+): verification \(s=(\S+?),? .*\) succeeded$", told, re.MULTILINE))


class MailDkim(Verifier):
    """Perl. Debian's version knows no Ed25519 yet."""

    def good(self, files: Sequence[str]) -> set[tuple[str, str]]:
        told = _output(["perl", "-e", _PERL, str(self.zone), *files])
        return set(re.findall(r"^(\S+) (\S+) pass$", told, re.MULTILINE))


def need(kind: type[Verifier]) -> None:
    """Skip the test if this program is not installed."""
    if kind is OpenDkim and not Path(_OPENDKIM).exists():
        pytest.skip("needs Debian's package opendkim")
    if kind is MailDkim and not _has_mail_dkim():
        pytest.skip("needs Debian's package libmail-dkim-perl")


@cache
def _has_mail_dkim() -> bool:
    perl = shutil.which("perl")
    return (
        bool(perl)
        and not subprocess.run(
            ["perl", "-MMail::DKIM::Verifier", "-e", "1"], capture_output=True, check=False
        ).returncode
    )


def _output(command: Sequence[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return ended.stdout + ended.stderr

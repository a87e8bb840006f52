"""`digest dkim`: keys that sign mail."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest import config as configuration
from digest.cli.options import CONFIG, ConfigOption, say, shown

if TYPE_CHECKING:
    from digest.delivery.dkim import Signer

group = typer.Typer(help="Keys that sign mail (DKIM).", no_args_is_help=True)


class Algorithm(StrEnum):
    """What a key is for."""

    RSA = "rsa"
    ED25519 = "ed25519"


@group.command()
def keygen(
    selector: Annotated[str, typer.Option(metavar="NAME", help="The key's name in DNS, such as 2026a.")],
    domain: Annotated[str, typer.Option(help="Whose mail it signs (default: that of the sender's address).")] = "",
    algorithm: Annotated[Algorithm, typer.Option(help="Every receiver knows rsa; ed25519 is short.")] = Algorithm.RSA,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write the private key.")] = Path(),
    config: ConfigOption = CONFIG,
) -> None:
    """Make a key, and print its DNS record and its lines of the configuration."""
    from digest.delivery import dkim  # noqa: PLC0415 (other commands do without its library)

    domain = domain or configuration.load(config).sender.address.rpartition("@")[2]
    signer = dkim.signer(domain, selector, dkim.make_key(algorithm.value))
    file = out / f"dkim-{signer.selector}.pem"
    dkim.write_key(signer.key, file)
    say(f"Wrote {shown(file)}. Whoever has it can sign as {signer.domain}: keep it out of repositories.")
    say(f"\nPublish in DNS, as TXT:\n\n  name   {signer.dns_name}\n  value  {signer.dns_record}")
    strings = "\n    ".join(dkim.zone_strings(signer.dns_record))
    say(f"\nThe same in a zone file:\n\n  {signer.dns_name}. IN TXT (\n    {strings} )")
    say(f"\nWhen it can be looked up, add to {shown(config)}:\n\n{_table(signer, file, config)}")


def _table(signer: Signer, file: Path, config: Path) -> str:
    """The [[dkim]] table. Paths are relative to the configuration's folder."""
    folder, path = config.parent.resolve(), file.parent.resolve() / file.name
    key = path.relative_to(folder) if path.is_relative_to(folder) else path
    settings = {"selector": signer.selector, "key": str(key), "domain": signer.domain}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    return "\n".join(["[[dkim]]", *lines])

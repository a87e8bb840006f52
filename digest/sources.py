"""The sources of a configuration, as each part of the program knows them.

Named ones come before plain paths, so a file that both have is read as the named one says. What is fetched lies in a
folder of its own for each source, and is a source like any other from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from digest.alarms import Watched
from digest.config import Config
from digest.fetch import Remote
from digest.fetching.address import masked
from digest.intake import Source, written
from digest.source_table import SourceTable
from digest.store.sources import covers

_DAY = 86_400


def configured(config: Config) -> tuple[Source, ...]:
    """All of them."""
    return (*(_named(config, table) for table in config.sources), *_plain(config, config.listings.paths))


def elsewhere(config: Config, paths: Sequence[Path]) -> tuple[Source, ...]:
    """Absolute paths in place of those configured; each is read as the source says that has it, if one does."""
    known = configured(config)
    return tuple(
        next((replace(one, path=path) for one in known if covers(written(one.path), written(path))), plain)
        for path, plain in zip(paths, _plain(config, map(str, paths)), strict=True)
    )


def remotes(config: Config) -> tuple[Remote, ...]:
    """Those that are fetched."""
    return tuple(
        Remote(
            *(table.name, table.url, _folder(config, table), table.every_minutes * 60, _most(config, table)),
            allow_private=table.allow_private,
            headers={name: value.get_secret_value() for name, value in table.headers.items()},
        )
        for table in config.sources
        if table.url
    )


def watched(config: Config) -> tuple[Watched, ...]:
    """All of them, as the watchdog and the pages see them."""
    named = (
        Watched(
            written(_folder(config, table)),
            table.name,
            _address(table),
            None if table.stale_days is None else table.stale_days * _DAY,
        )
        for table in config.sources
    )
    return (*named, *(Watched(written(config.path(path))) for path in config.listings.paths))


def _named(config: Config, table: SourceTable) -> Source:
    link = config.listings.link if table.link is None else table.link
    columns: dict[str, str] = dict(table.columns.items())
    return Source(_folder(config, table), _most(config, table), link, table.name, columns, _address(table))


def _plain(config: Config, paths: Iterable[str]) -> Iterable[Source]:
    most = _bytes(config.listings.max_megabytes)
    return (Source(config.path(path), most, config.listings.link) for path in paths)


def _folder(config: Config, table: SourceTable) -> Path:
    """Where its files are."""
    return config.path(config.listings.fetched) / table.folder if table.url else config.path(table.path)


def _address(table: SourceTable) -> str:
    """What it is fetched from, as others may read it."""
    return masked(table.url) if table.url else ""


def _most(config: Config, table: SourceTable) -> int:
    return _bytes(config.listings.max_megabytes if table.max_megabytes is None else table.max_megabytes)


def _bytes(megabytes: float) -> int:
    return int(megabytes * 1_000_000)

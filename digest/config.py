"""The configuration: a TOML file, overridden by environment variables (`DIGEST_SMTP__PASSWORD`).

Every fault is reported at once, each with its file, line and key. Relative paths are relative to the file's folder,
because cron starts elsewhere.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from digest.errors import ConfigError
from digest.places import Place, Source, shown
from digest.settings import (
    Alarms,
    CalendarName,
    Delivery,
    Dkim,
    Editions,
    Listings,
    Sender,
    Serve,
    Smtp,
    Store,
    SubscriberTable,
    Text,
    Web,
    did_you_mean,
    unknown_calendars,
)
from digest.source_table import SourceTable

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from digest.model import Subscriber

PREFIX = "DIGEST_"
_DELIMITER = "__"
OTHER_VARIABLES = frozenset({f"{PREFIX}CONFIG"})
"""Variables of ours that are no settings."""


class _Variables(EnvSettingsSource):
    """The environment. A value that should be JSON and is none is left to validation, which knows its place."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The value of a list or a table."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Config(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=_DELIMITER,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    store: Store = Store()
    listings: Listings = Listings()
    sources: tuple[SourceTable, ...] = ()
    smtp: Smtp = Smtp()
    relays: tuple[Smtp, ...] = ()
    sender: Sender
    delivery: Delivery = Delivery()
    dkim: tuple[Dkim, ...] = ()
    editions: Editions = Editions()
    web: Web = Web()
    serve: Serve = Serve()
    alarms: Alarms = Alarms()
    calendars: dict[CalendarName, Text] = {}
    subscribers: tuple[SubscriberTable, ...] = ()
    _source: Source = PrivateAttr()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        return _Variables(settings_cls), init_settings

    @property
    def file(self) -> Path:
        """Where the configuration came from."""
        return self._source.file

    @property
    def folder(self) -> Path:
        """The folder of the file, absolute."""
        return self.file.absolute().parent

    def path(self, text: str) -> Path:
        """A path of the configuration, made absolute."""
        return self.folder / Path(text).expanduser()

    def where(self, place: Place, holding: str = "") -> str:
        """`file:line: key` of a value, for a message (see `Source.where`)."""
        return self._source.where(place, holding)


def load(file: Path) -> Config:
    """Read and check a configuration file. Raises ConfigError with every fault."""
    source = _read(file)
    try:
        table = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source.syntax_fault(str(error))) from None
    faults = [*_unknown_variables(os.environ)]
    try:
        config = Config(**table)
    except ValidationError as error:
        faults += [_fault(source, fault) for fault in error.errors(include_url=False, include_input=False)]
    if faults:
        raise ConfigError("\n".join(faults))
    config._source = source
    if misfits := list(_misfits(config)):
        raise ConfigError("\n".join(misfits))
    return config


def _read(file: Path) -> Source:
    try:
        return Source(file, file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file. Write one with: digest init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def read_subscriber(values: Mapping[str, Any], config: Config) -> Subscriber:
    """One subscriber from elsewhere than the configuration file. Raises ConfigError with every fault."""
    try:
        table = SubscriberTable.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        words = (f"{shown(fault['loc'])}: {said(fault, SubscriberTable)}".removeprefix(": ") for fault in faults)
        raise ConfigError("; ".join(words)) from None
    most = config.editions.max_entries
    if misfits := [f"{key}: {fault}" for key, fault in table.misfits(most, config.calendars)]:
        raise ConfigError("; ".join(misfits))
    return table.subscriber(most)


def _misfits(config: Config) -> Iterator[str]:
    """What is wrong with parts that are right by themselves."""
    if unknown := unknown_calendars(config.editions.skip, config.calendars):
        yield f"{config.where(('editions', 'skip'))}: {unknown}"
    folders: set[str] = set()
    for number, source in enumerate(config.sources):
        if (folder := source.folder.casefold()) in folders:
            yield f"{config.where(('sources', number, 'name'))}: another source has this name, or one too much like it"
        folders.add(folder)
    for number, table in enumerate(config.subscribers):
        for key, fault in table.misfits(config.editions.max_entries, config.calendars):
            yield f"{config.where(('subscribers', number, key))}: {fault}"


def _fault(source: Source, fault: ErrorDetails) -> str:
    place = tuple(part for part in fault["loc"] if part != "[key]")  # how the library marks a fault in a key itself
    return f"{_variable(place) or source.where(place)}: {said(fault, Config)}"


def _variable(place: Place) -> str:
    """The environment variable that a value came from ("": none)."""
    parts = [str(part).upper() for part in place[:2]]
    names = {PREFIX + _DELIMITER.join(parts[:end]) for end in (1, 2)}
    return next((f"environment variable {name}" for name in os.environ if name.upper() in names), "")


def said(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong, in our words where the library's would not help."""
    place = fault["loc"]
    match fault["type"]:
        case "extra_forbidden":
            return "there is no such key" + did_you_mean(str(place[-1]), _keys(model, place[:-1]))
        case "missing":
            return "is missing and has no default"
        case "tuple_type":
            return 'must be a list, such as ["..."]'
        case "string_type":
            return "must be a text in quotes"
        case _:
            return fault["msg"].removeprefix("Value error, ")


def _keys(root: type[BaseModel], place: Place) -> Iterable[str]:
    """The keys of the table at a place."""
    model: Any = root
    for part in place:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next((kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields")), None)
    return model.model_fields if model else ()


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """A misspelt variable would be passed over in silence."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES:
            section, *_ = name.removeprefix(PREFIX).lower().split(_DELIMITER)
            if section not in Config.model_fields:
                hint = did_you_mean(section, Config.model_fields)
                yield f"environment variable {name}: there is no section {section!r}{hint}"

"""The configuration: what works as it stands, and how each fault is told."""

from __future__ import annotations

import asyncio
import re
import secrets
import tomllib
from dataclasses import fields
from datetime import date, time
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretStr
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from digest import config, sources
from digest.alarms import Watched
from digest.app import opened
from digest.config import Config, load
from digest.errors import ConfigError, UsageError
from digest.intake import Source
from digest.listings.drafts import Draft
from digest.model import Cadence, Profile, Subscriber
from digest.settings import Dkim, ProfileTable, SubscriberTable
from digest.source_table import ColumnOf, SourceTable

README, EXAMPLE = (Path(__file__).resolve().parents[1] / name for name in ("README.md", "config.example.toml"))
LEAST = """\
[store]
url = "sqlite:///digest.db"
[listings]
paths = ["listings"]
[smtp]
host = "127.0.0.1"
port = 2525
tls = "none"                # "none" (loopback only, unless said otherwise in words) | "starttls" | "implicit"
[sender]
address = "digest@example.org"
[[subscribers]]
email = "ada@example.org"
keywords = ["reward model", "quantiz*", "-survey"]          # or [[subscribers.profiles]] name, keywords, match
"""
CANARY = "canary-7c1f-of-tests"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a configuration is to be written."""
    return tmp_path / "digest.toml"


def faults(file: Path, text: str) -> list[str]:
    """What is wrong with a configuration, a line each, without the folder of the file."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught, opened(file):
        pass
    return str(caught.value).replace(f"{file.parent}/", "").splitlines()


def test_the_least_configuration_works_as_it_stands(file: Path) -> None:
    """Twelve lines are enough, and say what they seem to say."""
    file.write_text(LEAST)
    with opened(file) as app:
        assert (app.config.smtp.port, app.config.smtp.tls) == (2525, "none")
        assert [relay.host for relay in app.dispatch.terms.relays] == ["127.0.0.1"]
        assert app.config.subscribers[0].keywords == ("reward model", "quantiz*", "-survey")
    assert (file.parent / "digest.db").exists()


def test_the_example_is_valid_as_it_stands(file: Path) -> None:
    """And it is valid with every commented setting switched on, but for two that exclude others."""
    file.write_text(EXAMPLE.read_text())
    with opened(file) as app:
        assert len(app.config.subscribers) == 1
    (file.parent / "dkim").mkdir()
    (file.parent / "dkim" / "digest-2026.pem").touch()
    file.write_text(re.sub(r"^# (?=[a-z_]+ = |\[)", "", EXAMPLE.read_text(), flags=re.MULTILINE))
    with opened(file) as app:
        assert [len(table.profiles) for table in app.config.subscribers] == [0, 2]
        assert app.config.calendars == {"berlin": "holidays/berlin.ics"}


def _tables() -> dict[str, type[BaseModel]]:
    annotations = ((name, field.annotation) for name, field in Config.model_fields.items())
    sections = {name: kind for name, kind in annotations if isinstance(kind, type) and issubclass(kind, BaseModel)}
    people: dict[str, type[BaseModel]] = {"subscribers": SubscriberTable, "subscribers.profiles": ProfileTable}
    return sections | people | {"dkim": Dkim, "sources": SourceTable}


def _example_settings() -> dict[str, dict[str, tuple[bool, Any]]]:
    """By table and key: whether the setting is a comment, and its value."""
    found: dict[str, dict[str, tuple[bool, Any]]] = {}
    table = ""
    for line in EXAMPLE.read_text().splitlines():
        if header := re.match(r"(?:# )?\[+([a-z.]+)\]+$", line):
            table = header[1]
        elif setting := re.match(r"(# )?([a-z_]+) = ", line):
            value = tomllib.loads(line.removeprefix("# "))[setting[2]]
            found.setdefault(table, {}).setdefault(setting[2], (bool(setting[1]), value))
    return found


def test_the_example_mentions_every_setting_and_no_other() -> None:
    """Table by table, the keys of the example are those of the model; a further relay has those of the first."""
    mentioned = {table: set(settings) for table, settings in _example_settings().items()}
    known = {name: set(table.model_fields) - {"profiles", "per_minute"} for name, table in _tables().items()}
    known["smtp"].add("per_minute")
    assert mentioned.pop("relays") < known["smtp"]
    assert mentioned == known | {"calendars": {"berlin"}}
    assert "[delivery.per_minute]" in EXAMPLE.read_text()


def test_a_commented_setting_shows_its_default() -> None:
    """What stands behind a # is what holds without the line; names and times of people are samples."""
    samples = {
        ("subscribers", "name"),
        ("subscribers", "zone"),
        ("subscribers", "send_at"),
        ("subscribers", "max_entries"),
        ("subscribers", "paused_until"),
        ("dkim", "selector"),
        ("dkim", "key"),
        *(("sources", key) for key in ("name", "url", "path", "max_megabytes", "stale_days", "link")),
    }
    for name, table in _tables().items():
        for key, (commented, shown) in _example_settings()[name].items():
            field = table.model_fields[key]
            if commented and (name, key) not in samples and not name.endswith("profiles"):
                default = field.get_default(call_default_factory=True, validated_data={})
                default = default.get_secret_value() if isinstance(default, SecretStr) else default
                assert shown == (list(default) if isinstance(default, tuple) else default), (name, key)


def test_every_fault_is_told_at_once_with_its_place(file: Path) -> None:
    """File, line and key for each of them, in one error."""
    text = (
        '[stor]\nurl = "sqlite:///x.db"\n[smtp]\nhots = "127.0.0.1"\nport = "many"\ntls = "tsl"\n'
        '[[subscribers]]\nemail = "ada@example.org"\nzone = "Europe/Berln"\nkeywords = ["a b"]\n'
    )
    assert sorted(faults(file, text)) == [
        "digest.toml:1: sender: is missing and has no default",
        "digest.toml:1: stor: there is no such key; did you mean 'store'?",
        "digest.toml:4: smtp.hots: there is no such key; did you mean 'host'?",
        "digest.toml:5: smtp.port: Input should be a valid integer, unable to parse string as an integer",
        "digest.toml:6: smtp.tls: Input should be 'none', 'starttls' or 'implicit'",
        "digest.toml:9: subscribers[1].zone: 'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?",
    ]


def test_bad_toml_is_shown_with_a_caret(file: Path) -> None:
    """Line and column, the line itself, and a caret under the place."""
    assert faults(file, "[smtp]\nport = 25 26\n") == [
        "digest.toml:2:11: Expected newline or end of document after a statement",
        "  port = 25 26",
        "            ^",
    ]
    assert faults(file, '[smtp]\nhost = "127') == ["digest.toml:2: Unterminated string (at the end of the file)"]


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """The hint names the command."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file\. Write one with: digest init"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_the_environment_goes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable sets one value of a section and leaves the others of the file."""
    file.write_text(LEAST)
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", CANARY)
    monkeypatch.setenv("DIGEST_SMTP__PORT", "2526")
    monkeypatch.setenv("DIGEST_CONFIG", str(file))
    read = load(file)
    assert (read.smtp.password.get_secret_value(), read.smtp.port, read.smtp.tls) == (CANARY, 2526, "none")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "DIGEST_SMPT__PORT",
            "1",
            "environment variable DIGEST_SMPT__PORT: there is no section 'smpt'; did you mean 'smtp'?",
        ),
        (
            "DIGEST_SMTP__PROT",
            "1",
            "environment variable DIGEST_SMTP__PROT: there is no such key; did you mean 'port'?",
        ),
        ("DIGEST_SMTP__PORT", "x", "environment variable DIGEST_SMTP__PORT: Input should be a valid integer"),
        ("DIGEST_LISTINGS__PATHS", "listings", "environment variable DIGEST_LISTINGS__PATHS: "),
        ("DIGEST_SMTP", "x", "environment variable DIGEST_SMTP: "),
    ],
)
def test_a_fault_in_a_variable_names_the_variable(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """A misspelt name or a bad value from the environment is not blamed on the file."""
    monkeypatch.setenv(name, value)
    (told,) = faults(file, LEAST)
    assert told.startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        f'[smtp]\npassword = ["{CANARY}"]\n',
        f'[smtp]\nusername = 5\npassword = "{CANARY}"\n',
        f'[smtp]\npasswort = "{CANARY}"\n',
        f'[web]\nurl = "x"\nsecrets = ["{CANARY}"]\n',
        f'[web]\nsecrets = "{CANARY}"\n',
    ],
)
def test_a_secret_is_in_no_error(file: Path, text: str) -> None:
    """However the table that holds it is wrong."""
    assert CANARY not in "\n".join(faults(file, LEAST.replace("[smtp]\n", "[other]\n") + text))


def test_a_secret_is_in_no_repr(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the configuration nor of anything built from it."""
    monkeypatch.setenv("DIGEST_WEB__URL", "https://digest.example.org")
    monkeypatch.setenv("DIGEST_WEB__SECRETS", f'["{CANARY}"]')
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", CANARY)
    file.write_text(LEAST)
    with opened(file) as app:
        shown = f"{app!r} {app.config!r} {app.config} {app.dispatch!r} {app.press!r} {app.config.model_dump()!r}"
    assert CANARY not in shown


def test_a_bad_keyword_is_told_with_its_own_line_and_a_caret(file: Path) -> None:
    """In a list of many lines it is the line of that keyword, whatever stands in the others."""
    text = LEAST.replace(
        'keywords = ["reward model", "quantiz*", "-survey"]',
        'keywords = [   # see (the manual\n    "x",\n    \'title:"noisy labels\',\n    "(",\n    "\\"noisy",\n]\n#',
    )
    told = faults(file, text)
    assert [line for line in told if line.startswith("digest.toml")] == [
        line for line in told if re.match(r"digest\.toml:(15|16|17): subscribers\[1\]\.keywords: ", line)
    ]
    assert [re.findall(r"^digest\.toml:(\d+)", line)[0] for line in told if line.startswith("d")] == ["15", "16", "17"]
    assert sum(line.strip() == "^" for line in told) == 3


def test_bad_addresses_and_doubles_are_told(file: Path) -> None:
    """The sender's, a subscriber's, and one person in two spellings."""
    text = LEAST.replace('"digest@example.org"', '"digest.example.org"') + (
        '[[subscribers]]\nemail = "bao@"\nkeywords = ["x"]\n'
        '[[subscribers]]\nemail = "Ada@EXAMPLE.org"\nkeywords = ["x"]\n'
    )
    told = faults(file, text)
    assert told[0].startswith("digest.toml:10: sender.address: 'digest.example.org' is not a mail address")
    assert told[1].startswith("digest.toml:15: subscribers[2].email: 'bao@' is not a mail address")
    assert told[2] == (
        "digest.toml:18: subscribers[3].email: Ada@EXAMPLE.org stands here twice; give one subscriber several profiles"
    )


@pytest.mark.parametrize("address", ["me@localhost", "me@mail.test", "me@host.local", "me@printer"])
def test_an_address_on_a_local_network_is_one(file: Path, address: str) -> None:
    """Who has a relay of their own may write to names that the public network does not know."""
    file.write_text(LEAST.replace("ada@example.org", address))
    with opened(file) as app:
        assert app.config.subscribers[0].email == address


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to wherever cron starts; an absolute path and ~ stay what they are."""
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "digest.toml"
    file.write_text(LEAST.replace('["listings"]', f'["listings", "../in", "~/x", "{tmp_path}/abs"]'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    with opened(Path("etc/digest.toml")) as app:
        assert [str(path) for path in app.pipeline.intake.paths] == [
            *(f"{tmp_path}/etc/listings", f"{tmp_path}/etc/../in", "/home/ada/x", f"{tmp_path}/abs")
        ]
    assert (tmp_path / "etc" / "digest.db").exists()


def test_plain_text_stays_on_this_machine_unless_allowed(file: Path) -> None:
    """The refusal says where the setting stands and what else there is."""
    elsewhere = LEAST.replace('"127.0.0.1"', '"mail.example.org"')
    (told,) = faults(file, elsewhere)
    assert re.match(
        r"digest\.toml:8: smtp\.tls: .*mail\.example\.org is not this machine.*allow_plaintext = true", told
    )
    file.write_text(elsewhere.replace("port = 2525", "port = 2525\nallow_plaintext = true"))
    with opened(file) as app:
        assert app.dispatch.terms.relays[0].host == "mail.example.org"


def test_several_relays_and_limits_stand_side_by_side(file: Path) -> None:
    """The first under [smtp], others under [[relays]] with the same keys; a domain's limit is found in any writing."""
    file.write_text(
        LEAST
        + '[[relays]]\nhost = "localhost"\npriority = -1\nper_minute = 60\n[[relays]]\nsocket = "run/lmtp"\n'
        + 'protocol = "lmtp"\ntls = "none"\n[delivery]\nretry_minutes = 2\n'
        + '[delivery.per_minute]\n"Example.NET" = 600\n"bücher.example" = 5\n'
    )
    with opened(file) as app:
        terms = app.dispatch.terms
        first, backup, local = terms.relays
        assert (first.port, first.priority, backup.host, backup.priority, backup.per_minute) == (
            *(2525, 0, "localhost", -1, 60),
        )
        assert (local.socket, local.protocol) == (f"{file.parent}/run/lmtp", "lmtp")
        assert terms.retry_seconds == 120
        assert terms.per_minute == {
            ("domain", "example.net"): 600,
            ("domain", "xn--bcher-kva.example"): 5,
            ("relay", "localhost:25"): 60,
        }


def test_a_further_relay_is_looked_at_like_the_first(file: Path) -> None:
    """Plain text to another machine is refused where it stands."""
    told = faults(file, LEAST + '[[relays]]\nhost = "mail.example.org"\ntls = "none"\n')
    assert len(told) == 1
    assert re.match(r"digest\.toml:16: relays\[1\]\.tls: .*mail\.example\.org is not this machine", told[0])


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[delivery.per_minute]\n"a@example.net" = 5\n', "digest.toml:14: delivery.per_minute"),
        ('[delivery.per_minute]\n"example.net" = 0\n', "digest.toml:14: delivery.per_minute"),
        ('[[dkim]]\nselector = "a b"\nkey = "x.pem"\n', "digest.toml:15: dkim[1].selector"),
        ('[[dkim]]\nselector = "a"\n', "digest.toml:14: dkim[1].key"),
        ("[delivery]\nprocesses = 0\n", "digest.toml:15: delivery.processes"),
    ],
)
def test_settings_of_delivery_are_checked(file: Path, table: str, told: str) -> None:
    """Each fault names its line and key."""
    (fault,) = faults(file, LEAST + table)
    assert fault.startswith(told)


@pytest.mark.parametrize("value", ['"25:00"', "730", '"morning"', '"07:30+02:00"', '"730"'])
def test_a_send_time_is_a_local_time_of_day(file: Path, value: str) -> None:
    """A number or a time with a zone is no such thing, and the message shows one."""
    (told,) = faults(file, LEAST + f"send_at = {value}\n")
    assert told.startswith("digest.toml:14: subscribers[1].send_at: ")
    assert '"07:30"' in told


@pytest.mark.parametrize("value", ['"07:30"', "07:30:00"])
def test_a_send_time_can_be_a_text_or_a_time(file: Path, value: str) -> None:
    """TOML has times of its own."""
    file.write_text(LEAST + f"send_at = {value}\n")
    assert str(load(file).subscribers[0].send_at) == "07:30:00"


def test_a_subscriber_without_keywords_is_told_what_there_is(file: Path) -> None:
    """Neither and both are refused."""
    told = faults(file, LEAST + '[[subscribers]]\nemail = "x@example.org"\n')
    assert told == [
        "digest.toml:14: subscribers[2]: "
        "a subscriber has either keywords = [...] or [[subscribers.profiles]], one of the two"
    ]


def test_a_web_address_needs_a_secret(file: Path) -> None:
    """Without one its links could be forged."""
    (told,) = faults(file, web('url = "https://digest.example.org"'))
    assert told.startswith("digest.toml:1: web: a web address needs a secret")


def web(*lines: str) -> str:
    """The least configuration with a table [web] at its beginning."""
    return "\n".join(("[web]", *lines, LEAST))


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "at least 16 characters"),
        (f"{CANARY[:13]}  ", "at least 16 characters"),
        (" " * 40, "at least 16 characters"),
        ("abcde" * 8, "at least 6 different characters"),
        ("A long random text ", "an example"),
        ("another long text", "an example"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused(file: Path, secret: str, why: str) -> None:
    """Each by its place, with the command that makes a good one, and without showing it."""
    told = faults(file, web(f'secrets = ["a secret for tests", "{secret}"]', f'operator_token = "{secret}"'))
    assert len(told) == (2 if secret else 1)  # no token: no pages for the operator
    assert all(why in line and "secrets.token_urlsafe(32)" in line for line in told)
    assert told[0].startswith("digest.toml:2: web.secrets[2]: ")
    assert told[-1].startswith("digest.toml:3: web.operator_token: " if secret else "digest.toml:2: ")
    assert not secret.strip() or secret.strip() not in "".join(told)


def test_a_secret_as_its_command_makes_it_is_taken(file: Path) -> None:
    """Unchanged; around the operator's token spaces do not count, as when it is typed."""
    made, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    file.write_text(web(f'secrets = [" {made}"]', f'operator_token = " {token} "'), encoding="utf-8")
    taken = load(file).web
    assert [one.get_secret_value() for one in taken.secrets] == [f" {made}"]
    assert taken.operator_token.get_secret_value() == token


def test_the_secrets_of_the_readme_are_refused(file: Path) -> None:
    """Whoever copies them as they stand is told so."""
    table = re.search(r"^\[web\]\n(.+?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert table
    told = faults(file, web(table[1]))
    assert [line.split(": ")[1] for line in told] == ["web.secrets[1]", "web.operator_token"]
    assert all("an example" in line for line in told)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("digest.example.org", 'write it like "https://digest.example.org"'),
        ("ftp://digest.example.org", "write it like"),
        ("https://", "write it like"),
        ("https:///digest", "write it like"),
        ("https://digest*example.org", "write it like"),
        ("https://digest example.org", "write it like"),
        ("https://digest.example.org\\n", "write it like"),
        (f"https://ada:{CANARY}@digest.example.org", "no name and no password"),
        (f"https://ada:{CANARY}@[digest", "write it like"),
        ("https://digest.example.org:", "a port is a number"),
        ("https://digest.example.org:0", "a port is a number"),
        ("https://digest.example.org:65536", "a port is a number"),
        ("https://digest.example.org:https", "a port is a number"),
        ("https://digest.example.org?a=b", "no ?"),
        ("https://digest.example.org/#top", "no #"),
        ("https://digest.example.org/a/../b", ".."),
        ("https://digest.example.org/%2e%2E", ".."),
        ("https://digest.example.org//evil.example", "an empty part"),
    ],
)
def test_an_address_that_links_cannot_begin_with_is_refused(file: Path, url: str, why: str) -> None:
    """In words, with the place, and without a password that stands in it."""
    (told,) = faults(file, web(f'url = "{url}"', 'secrets = ["a secret for tests"]'))
    assert told.startswith("digest.toml:2: web.url: ")
    assert why in told
    assert CANARY not in told


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8480", "https://[::1]:8480/", "http://localhost", "https://a.example/digest/of/ours/"]
)
def test_an_address_may_have_a_port_and_a_path(file: Path, url: str) -> None:
    """It is kept as it stands."""
    file.write_text(web(f'url = "{url}"', 'secrets = ["a secret for tests"]'), encoding="utf-8")
    assert load(file).web.url == url


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("*", "is not an IP address or network"),
        ("", "is not an IP address or network"),
        ("proxy.example.org", "is not an IP address or network"),
        ("127.0.0.1:8480", "is not an IP address or network"),
        ("10.1.2.3/8", "as in '10.0.0.0/8'"),
        ("0.0.0.0/0", "is everybody"),
        ("::/0", "is everybody"),
    ],
)
def test_a_proxy_that_would_be_everybody_or_nobody_is_refused(file: Path, proxy: str, why: str) -> None:
    """With its place in the list."""
    (told,) = faults(file, web(f'trusted_proxies = ["127.0.0.1", "{proxy}"]'))
    assert told.startswith("digest.toml:2: web.trusted_proxies[2]: ")
    assert why in told


@pytest.mark.parametrize(("proxy", "peer"), [("127.0.0.1", "127.0.0.1"), ("10.0.0.0/8", "10.1.2.3"), ("::1", "::1")])
def test_a_proxy_that_is_taken_is_one_for_the_server_too(file: Path, proxy: str, peer: str) -> None:
    """What uvicorn makes of the list believes those that are named, and nobody else."""
    file.write_text(web(f'trusted_proxies = ["{proxy}"]'), encoding="utf-8")
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    behind: Any = ProxyHeadersMiddleware(app, list(load(file).web.trusted_proxies))
    for address in (peer, "192.0.2.1"):
        headers = [(b"x-forwarded-for", b"198.51.100.7")]
        asyncio.run(behind({"type": "http", "client": (address, 1), "headers": headers}, None, None))
    assert seen == ["198.51.100.7", "192.0.2.1"]


@pytest.mark.parametrize("value", ['"2026-12-01"', "2026-12-01"])
def test_a_pause_ends_on_a_date(file: Path, value: str) -> None:
    """A text or a date of TOML's own."""
    file.write_text(LEAST + f"paused_until = {value}\n")
    assert load(file).subscribers[0].paused_until == date(2026, 12, 1)


@pytest.mark.parametrize(
    "value", ['"1 December"', '"2026-13-01"', '"2026-12-01T07:30"', "2026-12-01T07:30:00", "20261201", "07:30:00", "[]"]
)
def test_a_pause_ends_on_nothing_else(file: Path, value: str) -> None:
    """A moment or a number is refused, and the message shows a date."""
    assert faults(file, LEAST + f"paused_until = {value}\n") == [
        "digest.toml:14: subscribers[1].paused_until: not a date; write one like 2026-12-01"
    ]


def test_days_are_kept_in_their_one_form(file: Path) -> None:
    """Whoever writes the same rule in other words changes nothing."""
    file.write_text(LEAST + 'days = "Thursday and Monday"\nsend_at = "07:30"\nzone = "Europe/Berlin"\n')
    (table,) = load(file).subscribers
    assert table.subscriber(20).cadence == Cadence("mon, thu", time(7, 30), "Europe/Berlin")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('days = "weekdys"', 'days: "weekdys" is not understood here; did you mean "weekdays"?'),
        ('days = ["mon"]', "days: must be a text in quotes"),
        ('skip = "2026-12-24"', 'skip: must be a list, such as ["..."]'),
        ("skip = [5]", "skip[1]: must be a text in quotes"),
        ("skip = [2026-12-24T07:30:00]", "skip[1]: must be a text in quotes"),
        ('skip = ["2026-12-24/2026-12-01"]', 'skip[1]: "2026-12-24/2026-12-01" ends before it begins; write'),
        ('skip = ["2026-12-24", "Xmas Eve"]', 'skip[2]: "Xmas Eve" is no day to skip; write "2026-12-24", '),
        ("min_matches = 0", "min_matches: Input should be greater than or equal to 1"),
    ],
)
def test_a_cadence_that_cannot_be_is_told(file: Path, line: str, said: str) -> None:
    """With its line and key, and with what to write."""
    (told,) = faults(file, LEAST + f"{line}\n")
    assert told.startswith(f"digest.toml:14: subscribers[1].{said}")


def test_days_to_skip_are_texts_or_dates(file: Path) -> None:
    """Dates of TOML's own, ranges and calendars, each once."""
    days = '[2026-12-24, "2026-12-24", " 2026-12-27/2027-01-02 ", "berlin"]'
    file.write_text(f"{LEAST}skip = {days}\n[editions]\nskip = [2026-12-31]\n[calendars]\nberlin = 'berlin.ics'\n")
    read = load(file)
    assert read.subscribers[0].subscriber(20).skip == ("2026-12-24", "2026-12-27/2027-01-02", "berlin")
    assert read.editions.skip == ("2026-12-31",)


def test_a_calendar_that_is_nowhere_is_told(file: Path) -> None:
    """For one person and for everybody, with those that there are."""
    text = f'{LEAST}skip = ["2026-12-24", "berln", "z"]\n[editions]\nskip = ["Paris"]\n[calendars]\n'
    assert faults(file, f'{text}berlin = "b.ics"\nparis = "p.ics"') == [
        "digest.toml:16: editions.skip: 'Paris' is not in [calendars] (berlin, paris); did you mean 'paris'?",
        "digest.toml:14: subscribers[1].skip: 'berln' is not in [calendars] (berlin, paris); did you mean 'berlin'?; "
        "'z' is not in [calendars] (berlin, paris); add it there",
    ]
    assert faults(file, f'{LEAST}skip = ["berlin"]\n') == [
        "digest.toml:14: subscribers[1].skip: 'berlin' is not in [calendars] (it is empty); add it there"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '"berl in" = "b.ics"',
            "berl in: 'berl in' is not a name; write letters, digits, - and _, with a letter first",
        ),
        ('"2026-12-24" = "b.ics"', "2026-12-24: '2026-12-24' is not a name"),
        ('berlin = ""', "berlin: String should have at least 1 character"),
        ("berlin = 5", "berlin: must be a text in quotes"),
    ],
)
def test_a_calendar_has_a_name_and_a_path(file: Path, line: str, said: str) -> None:
    """A name that no list of days could hold is refused."""
    (told,) = faults(file, f"{LEAST}[calendars]\n{line}\n")
    assert re.fullmatch(r"digest\.toml:1[45]: calendars\." + re.escape(said) + ".*", told)


def test_calendars_come_from_the_environment_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more, or another path for one of the file; a fault names the variable."""
    text = f'{LEAST}[calendars]\nberlin = "b.ics"\nparis = "p.ics"\n'
    file.write_text(text)
    monkeypatch.setenv("DIGEST_CALENDARS__ROME", "r.ics")
    monkeypatch.setenv("DIGEST_CALENDARS__BERLIN", "/b.ics")
    assert load(file).calendars == {"berlin": "/b.ics", "paris": "p.ics", "rome": "r.ics"}
    monkeypatch.setenv("DIGEST_CALENDARS__5", "f.ics")
    (told,) = faults(file, text)
    assert told.startswith("environment variable DIGEST_CALENDARS__5: '5' is not a name")


def test_who_wants_more_matches_than_entries_is_told(file: Path) -> None:
    """Against the person's own figure, or else against everybody's."""
    text = f"{LEAST}min_matches = 8\n"
    assert faults(file, f"{text}max_entries = 7\n") == [
        "digest.toml:14: subscribers[1].min_matches: 8 is more than max_entries, 7; lower it, or raise max_entries"
    ]
    assert faults(file, f"{text}[editions]\nmax_entries = 5\n") == [
        "digest.toml:14: subscribers[1].min_matches: 8 is more than max_entries, 5; lower it, or raise max_entries"
    ]
    file.write_text(f"{text}max_entries = 8\n[editions]\nmax_entries = 5\n")
    assert load(file).subscribers[0].subscriber(5).min_matches == 8


@pytest.mark.parametrize(
    "line",
    [
        "[serve]\nport = 65536",
        "[serve]\nport = -1",
        '[serve]\nlogs = "yaml"',
        '[serve]\nlevel = "trace"',
        "[serve]\ndrain_seconds = inf",
        "[alarms]\noverdue_minutes = 0",
        "[alarms]\nfailures_percent = 101",
        "[alarms]\nfailures_percent = nan",
        "[alarms]\nstale_days = -1",
        "[alarms]\nrelay_minutes = -1",
        '[alarms]\nto = "me@example.org"',
        '[alarms]\nto = [""]',
    ],
)
def test_the_daemon_and_the_alarms_have_bounds(file: Path, line: str) -> None:
    """Each fault has its line and key."""
    header, setting = line.split("\n")
    (told,) = faults(file, f"{LEAST}{line}\n")
    place = f"{header.strip('[]')}.{setting.split(' ')[0]}"
    assert re.match(rf"digest\.toml:15: {re.escape(place)}(\[1\])?: ", told), told


@pytest.mark.parametrize(
    "url",
    [f"ftp://{CANARY}", f"hc-ping.com/{CANARY}", f"https://{CANARY}:x/", f"https:///{CANARY}", f"https://é/{CANARY}"],
)
def test_a_heartbeat_that_cannot_be_called_is_told_without_it(file: Path, url: str) -> None:
    """Whoever knows the address could call it."""
    (told,) = faults(file, f'{LEAST}[alarms]\nheartbeat = "{url}"\n')
    assert told.startswith("digest.toml:15: alarms.heartbeat: not an address to call; write one like ")
    assert CANARY not in told


def test_a_heartbeat_is_in_no_repr(file: Path) -> None:
    """It is kept whole, and not shown."""
    url = f"https://hc-ping.com/{CANARY}?rid=1"
    file.write_text(f'{LEAST}[alarms]\nheartbeat = "{url}"\n')
    read = load(file)
    assert read.alarms.heartbeat.get_secret_value() == url
    assert CANARY not in f"{read!r} {read.model_dump()!r}"


def test_a_subscriber_from_elsewhere_is_held_to_the_same_rules(file: Path) -> None:
    """All faults in one line, without a file; calendars and bounds are those of the configuration."""
    file.write_text(f'{LEAST}[calendars]\nberlin = "b.ics"\n[editions]\nmax_entries = 5\n')
    read, person = load(file), {"email": "x@example.org", "keywords": ["x"]}
    with pytest.raises(UsageError, match=r"zone: 'Nowhere' is not a time zone.*; maximum: there is no such key"):
        config.read_subscriber(person | {"zone": "Nowhere", "maximum": 3}, read)
    with pytest.raises(UsageError, match=r"^min_matches: 6 is more than max_entries, 5; .*; skip: 'bern' is not in"):
        config.read_subscriber(person | {"min_matches": 6, "skip": ["bern"]}, read)
    assert config.read_subscriber(person | {"skip": ["berlin"]}, read) == Subscriber(
        "x@example.org", (Profile("Digest", ("x",)),), max_entries=5, skip=("berlin",)
    )


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ("[[relays]]\nport = 26\n", 14, "this relay has no host"),
        ('[[relays]]\nhost = "127.0.0.1"\nport = 2525\ntls = "none"\n', 14, "127.0.0.1:2525 stands here twice"),
        ('[[relays]]\nhost = "mail.example.org"\nusername = "ada"\n', 16, "a login needs a password"),
        ('[[relays]]\nhost = "mail.example.org"\nca_file = "no.pem"\n', 16, "no.pem cannot be used"),
        ('[[relays]]\nhost = "mail.example.org"\ntls = "none"\n', 16, "is not this machine"),
        ('[[dkim]]\nselector = "a"\nkey = "no.pem"\n', 16, "make a key with: digest dkim keygen"),
    ],
)
def test_a_relay_or_a_key_that_cannot_work_is_told_with_its_line(file: Path, lines: str, line: int, said: str) -> None:
    """Before anything is done, as every other fault."""
    file.write_text(LEAST + lines)
    with pytest.raises(ConfigError, match=re.escape(said)) as caught, opened(file):
        pass
    assert f"digest.toml:{line}" in str(caught.value)


def test_without_smtp_the_other_relays_are_all_that_there_are(file: Path) -> None:
    """A relay that nobody has written down gets no mail."""
    one = '[[relays]]\nhost = "127.0.0.1"\nport = 26\ntls = "none"\n'
    file.write_text(f'{one}[sender]\naddress = "digest@example.org"\n')
    with opened(file) as app:
        assert [str(relay) for relay in app.dispatch.terms.relays] == ["127.0.0.1:26"]


SOURCE = '[[sources]]\nname = "arxiv"\nurl = "https://example.org/rss"\n'


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        (SOURCE + 'path = "x"', 14, "sources[1]: a source has either a path or a url, one of the two"),
        ('[[sources]]\nname = "x"', 14, "sources[1]: a source has either a path or a url, one of the two"),
        ('[[sources]]\npath = "x"', 14, "sources[1].name: is missing and has no default"),
        (
            SOURCE + "every_minuts = 5",
            17,
            "sources[1].every_minuts: there is no such key; did you mean 'every_minutes'?",
        ),
        (SOURCE + "every_minutes = 0", 17, "sources[1].every_minutes: Input should be greater than or equal to 1"),
        (SOURCE + "stale_days = -1", 17, "sources[1].stale_days: Input should be greater than or equal to 0"),
        (SOURCE + "max_megabytes = 0", 17, "sources[1].max_megabytes: Input should be greater than 0"),
        (SOURCE + 'link = "https://example.org/{name}"', 17, "sources[1].link: only {title} can stand in it; "),
        (SOURCE + 'columns = { titel = "T" }', 17, "sources[1].columns.titel: Input should be 'title', 'abstract', "),
        (
            SOURCE + 'headers = { Host = "x" }',
            17,
            "sources[1].headers.Host: this is no header, or one that cannot be set",
        ),
        (
            SOURCE + 'headers = { "X Y" = "x" }',
            17,
            "sources[1].headers.X Y: this is no header, or one that cannot be set",
        ),
        (SOURCE + 'headers = { X = "a\\nb" }', 17, "sources[1].headers.X: the value of a header is one line of plain "),
        (
            '[[sources]]\nname = "x"\npath = "x"\nevery_minutes = 5\nallow_private = false',
            14,
            "sources[1]: allow_private, every_minutes: that is for a source with a url, and this one has a path",
        ),
        (SOURCE + SOURCE.replace("arxiv", "ARXIV"), 18, "sources[2].name: another source has this name, or one too "),
        *(
            (SOURCE.replace("arxiv", name), 15, "sources[1].name: a name has letters, digits, blanks, and . - _, ")
            for name in ("", "../x", "a/b", ".x", "a\\nb", "x" * 65)
        ),
        *(
            (SOURCE.replace("https://example.org/rss", url), 16, "sources[1].url: not a web address; write one like ")
            for url in (
                "ftp://example.org",
                "example.org/rss",
                "https://",
                "https://x:y/",
                "https://x y/",
                "file:///etc/passwd",
            )
        ),
        (SOURCE.replace("//", "//me:pw@"), 16, "sources[1].url: there can be no login in it"),
    ],
)
def test_a_source_is_checked_with_its_place(file: Path, table: str, line: int, said: str) -> None:
    """Each fault has its line and key."""
    (told,) = faults(file, f"{LEAST}{table.strip()}\n")
    assert told.startswith(f"digest.toml:{line}: {said}"), told


def test_all_faults_of_sources_are_told_at_once(file: Path) -> None:
    """Those of each, in one error."""
    told = faults(file, f'{LEAST}{SOURCE}every_minutes = 0\nstale_days = -1\n[[sources]]\nname = "/"\npath = "x"\n')
    assert [line.split(": ")[1] for line in told] == [
        "sources[1].stale_days",
        "sources[1].every_minutes",
        "sources[2].name",
    ]


def test_what_a_source_sends_is_in_no_repr(file: Path) -> None:
    """Tokens in headers are secrets."""
    file.write_text(f'{LEAST}{SOURCE}headers = {{ Authorization = "Bearer {CANARY}" }}\n')
    read = load(file)
    assert CANARY not in f"{read!r} {read.model_dump()!r}"
    [remote] = sources.remotes(read)
    assert remote.headers == {"Authorization": f"Bearer {CANARY}"}
    assert CANARY not in repr(remote)


def test_sources_have_the_settings_of_all_where_they_have_none(file: Path) -> None:
    """A link, a size, an age; paths without a name come behind them."""
    text = LEAST.replace('paths = ["listings"]', 'paths = ["in"]\nmax_megabytes = 7\nlink = "l"')
    own = '[[sources]]\nname = "own.csv"\npath = "own"\nlink = ""\nmax_megabytes = 1\nstale_days = 2\n'
    own += 'columns = { title = "T" }\n'
    file.write_text(f"{text}{SOURCE}{own}")
    read, folder = load(file), file.parent
    assert sources.configured(read) == (
        Source(folder / "listings" / "arxiv", 7_000_000, "l", "arxiv", {}, "https://example.org/rss"),
        Source(folder / "own", 1_000_000, "", "own.csv", {"title": "T"}),
        Source(folder / "in", 7_000_000, "l"),
    )
    assert sources.watched(read) == (
        Watched(f"{folder}/listings/arxiv", "arxiv", "https://example.org/rss"),
        Watched(f"{folder}/own", "own.csv", "", 172_800.0),
        Watched(f"{folder}/in"),
    )
    [remote] = sources.remotes(read)
    assert (remote.every_seconds, remote.max_bytes, remote.allow_private) == (3600, 7_000_000, False)
    assert sources.elsewhere(read, [folder / "own" / "a.csv", folder / "b"])[0].columns == {"title": "T"}


def test_columns_are_the_fields_of_a_draft() -> None:
    """All but those that no column can hold."""
    assert set(get_args(ColumnOf)) == {one.name for one in fields(Draft)} - {"updated", "html"}

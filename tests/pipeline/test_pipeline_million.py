"""What benchmarks/million.py measures with: the crowd, seconds by part, how costs grow; and all of it once, small."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from time import sleep

import growth
import million
import parts as timed
import pytest
from crowd import listing, readers, zones
from growth import Beside, Case, Cost, Figure, exponent
from lean import COMPILER
from parts import REST, Parts

from digest.listings import Origin, read
from digest.model import Entry
from digest.profiles import check

SAMPLES = Path(__file__).resolve().parents[2] / "digest" / "samples" / "listings"
CASE = Case(1_000, 300, 1)


@pytest.fixture(scope="module")
def sample() -> list[Entry]:
    files = sorted(SAMPLES.iterdir())
    return [one for file in files for one in read(file.read_bytes(), Origin(date(2026, 3, 29))).entries]


def test_readers_are_as_promised(sample: list[Entry]) -> None:
    """One to three profiles of up to twenty keywords that can be read, in every zone; few keywords are chosen often."""
    texts = [f"{entry.title} {entry.abstract}" for entry in sample]
    some = list(readers(2_000, texts, "wed", 2_000))
    assert some == list(readers(2_000, texts, "wed", 2_000))
    assert {one.cadence.zone for one in some} == set(zones())
    assert Counter(len(one.profiles) for one in some).keys() == {1, 2, 3}
    assert {len(profile.keywords) for one in some for profile in one.profiles} <= set(range(3, 21))
    assert not [fault for one in islice(some, 300) for profile in one.profiles for fault in check(profile)]
    often = Counter(keyword for one in some for profile in one.profiles for keyword in profile.keywords)
    ranked = [count for _, count in often.most_common()]
    assert ranked[0] > 3 * ranked[9] > 9 * ranked[99]


def test_entries_of_later_days_are_others(sample: list[Entry]) -> None:
    """They have other titles and other pages."""
    days = [read(listing(sample, 20, first).encode(), Origin(date(2026, 3, 29))).entries for first in (0, 20)]
    assert [len(day) for day in days] == [20, 20]
    assert not {key for entry in days[0] for key in entry.keys} & {key for entry in days[1] for key in entry.keys}
    assert {entry.abstract for entry in days[0]}.isdisjoint({entry.abstract for entry in days[1]})


class Program:
    """Something to be timed."""

    def __init__(self) -> None:
        self.inside: list[str] = []

    def outer(self) -> int:
        sleep(0.01)
        return self.inner()

    def inner(self) -> int:
        sleep(0.03)
        return 7

    def each(self) -> Iterator[int]:
        for number in range(3):
            sleep(0.01)
            yield number

    @contextmanager
    def held(self) -> Iterator[str]:
        self.inside.append("begun")
        sleep(0.01)
        yield "held"
        self.inside.append("ended")


def test_parts_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part calls of another counts there; generators count while they make something, contexts while held."""
    for name in ("outer", "inner", "each", "held"):
        monkeypatch.setattr(Program, name, getattr(Program, name))
    monkeypatch.setattr(timed, "Program", Program, raising=False)
    program, parts = Program(), Parts()
    wanted = {f"parts:Program.{name}": name for name in ("outer", "inner", "each", "held")}
    assert parts.keep(wanted | {"parts:Program.gone": "gone"}) == ["parts:Program.gone"]
    begun = parts.all()[REST]
    assert program.outer() == 7
    for number, _ in enumerate(program.each()):
        assert number < 3
        sleep(0.01)
    with program.held() as value:
        sleep(0.01)
    assert (value, program.inside) == ("held", ["begun", "ended"])
    seconds = parts.all()
    assert seconds.keys() == {REST, "outer", "inner", "each", "held"}
    assert 0.01 <= seconds["outer"] < seconds["inner"]
    assert seconds["each"] >= 0.03
    assert seconds["held"] >= 0.02
    assert seconds[REST] >= begun + 0.03


def test_a_power_of_growth() -> None:
    """1 is linear, 2 is quadratic, 0 is none."""
    assert exponent((10, 100), (3, 30)) == pytest.approx(1)
    assert exponent((10, 20), (1, 4)) == pytest.approx(2)
    assert exponent((10, 100), (5, 5)) == 0


def test_each_number_grows_alone() -> None:
    """The others stay at their standard, which is measured once."""
    cases = million.cases([10, 100, 1_000], [300, 30, 3_000], [1, 7])
    assert cases[0] == Case(100, 300, 1)
    assert set(cases[1:]) == {
        Case(100, 30, 1),
        Case(100, 3_000, 1),
        Case(100, 300, 7),
        Case(10, 300, 1),
        Case(1_000, 300, 1),
    }
    assert growth.alone(cases, "subscribers") == [Case(10, 300, 1), cases[0], Case(1_000, 300, 1)]


def figure(step: str, case: Case = CASE, cpu: float = 2.0, done: int = 1_000, waiting: int = 0) -> Figure:
    parts = {"rank": 1.5, REST: 2.5} if step == "plan" else {}
    return Figure(case, step, Cost(4.0, cpu, 90.0, 7.0), done, waiting, 20.0, parts)


def test_costs_add_up() -> None:
    """But of two programs that run one after the other, the peak is that of the larger."""
    assert Cost(1, 2, 30, 4) + Cost(5, 6, 7, 8) == Cost(6, 8, 30, 12)


def test_what_was_done_in_part_is_reckoned_in_full_and_marked() -> None:
    """A delivery of a quarter counts four times in the whole."""
    some = [figure("import"), figure("deliver", done=250, waiting=1_000)]
    assert growth.whole(some).split() == ["the", "whole,", "reckoned", "20.0", "10.0", "90"]
    some = [figure("import"), figure("load of the next day"), figure("deliver")]
    assert growth.whole(some).split() == ["the", "whole", "8.0", "4.0", "90"]


def test_a_step_is_told_with_its_parts() -> None:
    """Under heads that stand over its figures."""
    line, parts = growth.lines(figure("plan"))
    assert line.split() == ["plan", "1,000", "4.0", "2.0", "250", "90", "7", "20"]
    assert parts.split(", ") == ["      rank 1.5", "the rest 2.5"]
    assert len(growth.heads(CASE).splitlines()[-1]) == len(line)


def test_growth_is_told_for_each_number_that_grew() -> None:
    """With the power from each size to the next."""
    cases = [CASE, CASE._replace(subscribers=10_000), CASE._replace(subscribers=100_000)]
    costs = (1.0, 10.0, 1_000.0)
    told = list(growth.growth([figure("plan", case, cpu) for case, cpu in zip(cases, costs, strict=True)]))
    assert len(told) == 3
    assert told[0].startswith("\nCPU seconds as subscribers grow")
    assert told[2].split() == ["plan", "1.0", "10.0", "1000.0", "1.00", "2.00"]


def test_others_stand_beside_with_what_they_were_not_asked_for_marked() -> None:
    """Their seconds for as many as ours, reckoned from those they did."""
    case = CASE._replace(subscribers=10_000)
    ours = [figure("plan", case, done=10_000), figure("plan")]
    told = list(growth.beside([Beside("FTS5", CASE, 1_000, 1.0, 2.0, 80.0)], ours, ("index", "rank")))
    assert told[1].split() == ["1,000", "10,000", "peak,", "MB"]
    assert told[2].split()[-3:] == ["1.5", "1.5", "90"]
    assert told[-1].split() == ["FTS5", "3.0", "≈21.0", "80"]


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="a C compiler is missing: install the Debian package gcc")
def test_all_of_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody is imported, planned at both slots and at no other time, and delivered to as many as was asked."""
    file = tmp_path / "figures.json"
    assert million.main(["--quick", "--folder", str(tmp_path), "--listings", str(SAMPLES), "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    done = {(one["case"][0], one["step"]): one["done"] for one in told["figures"]}
    for count in million.QUICK["subscribers"]:
        assert done[count, "import"] == done[count, "plan"] == done[count, "plan of the next slot"] == count
        assert done[count, "load"] == done[count, "load of the next day"] == 40
        assert done[count, "deliver"] >= 400
        assert done[count, "plan, nobody is due"] == 0
        assert 0 < done[count, "import of changes"] < count
    assert all(one["cost"]["cpu"] > 0 and one["cost"]["peak"] > 0 for one in told["figures"])
    assert {one["name"] for one in told["others"]} >= {"SQLite FTS5, matching", "a plain loop, deliver"}
    said = capsys.readouterr()
    assert "CPU seconds as subscribers grow" in said.out
    assert "timed with the rest" not in said.err

"""What the previews show of keywords as they are typed, and the sample digest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from visits import Visit, visiting
from workplace import DAY, Mails, Workplace, paper

from digest.backtest import Trials
from digest.model import Profile
from digest.web.forms import ProfileFields
from digest.web.preview import difference, preview

HTMX = {"HX-Request": "true"}


def typed(*keywords: str, name: str = "Digest") -> ProfileFields:
    """The fields of a profile, one keyword on a line."""
    return ProfileFields(name, "\n".join(keywords))


@pytest.fixture
def trials(visit: Visit) -> Trials:
    """The engine over the four papers of a visit, which came in today."""
    return Trials(visit.app.store)


@pytest.fixture
def weeks(place: Workplace, mails: Mails) -> Iterator[Visit]:
    """A site on which another paper came in ten days before the others."""
    with visiting(place, mails) as opened:
        place.clock.at += 10 * DAY
        place.listing("later.jsonl", [paper("Reward models, ten days on", url="https://example.org/9")])
        opened.app.pipeline.load()
        yield opened


def now(visit: Visit) -> int:
    """What the site takes for the time."""
    return visit.place.clock()


def test_a_preview_counts_what_matches_and_shows_it_best_first(visit: Visit, trials: Trials) -> None:
    """With the reasons, as the mail would."""
    found = preview(trials, [typed("reward model", "-survey")], now(visit))
    assert found.summary == "1 of 4 entries in the last day matches."
    (card,) = found.cards
    assert card.title == "Reward models that age well"
    assert [label.text for label in card.labels] == ["reward model"]
    assert any(part.marked and part.text == "Reward models" for part in card.title_parts)


def test_a_preview_tells_what_each_keyword_does(visit: Visit, trials: Trials) -> None:
    """How many it brings, which never hit, and what an exclusion keeps out."""
    found = preview(trials, [typed("reward model", "quantiz*", "submarine", "-survey")], now(visit))
    assert {hits.keyword: hits.entries for hits in found.keywords} == {"reward model": 1, "quantiz*": 1, "submarine": 0}
    assert {out.keyword: out.entries for out in found.kept_out} == {"-survey": 1}
    assert [advice.keyword for advice in found.advice] == ["submarine"]


def test_a_keyword_that_cannot_be_read_stops_no_other(visit: Visit, trials: Trials) -> None:
    """Half of what is typed is unfinished; its fault is named with the place."""
    found = preview(trials, [typed("reward model", "x" * 2000, "quantiz* AND", "(maps")], now(visit))
    assert len(found.cards) == 2
    assert [(fault.before, fault.after) for fault in found.faults[1:]] == [("quantiz* ", "AND"), ("", "(maps")]
    assert len(found.faults[0].before) < 100


def test_what_would_take_long_is_left_out_and_said_to_be(visit: Visit, trials: Trials) -> None:
    """Strangers cannot keep the engine busy, and what stands behind is still looked at."""
    patterns = [f"/maps{number}?/" for number in range(6)]
    found = preview(trials, [typed(*patterns, "reward model")], now(visit))
    assert [hits.keyword for hits in found.keywords] == [*patterns[:4], "reward model"]
    assert [doubt.keyword for doubt in found.advice if "Not tried" in doubt.reason] == patterns[4:]
    wide = " OR ".join(f"w{number}" for number in range(40))
    assert len(preview(trials, [typed(*[f"{wide} OR x{n}" for n in range(12)])], now(visit)).keywords) == 10


def test_a_preview_of_nothing_asks_for_a_keyword(visit: Visit, trials: Trials) -> None:
    """Also where all that is typed cannot be read yet."""
    for keywords in ((), (" ",), ('"rew',)):
        assert preview(trials, [typed(*keywords)], now(visit)).summary.startswith("Write a keyword")


def test_matches_are_counted_by_day(weeks: Visit) -> None:
    """Each day has a bar, also one without matches; the words below say what the picture does."""
    found = preview(Trials(weeks.app.store), [typed("reward model")], now(weeks))
    assert found.summary == "3 of 5 entries in the last 11 days match, 0.3 a day."
    assert [number for _, number in found.bars] == [2, *[0] * 9, 1]
    assert found.chart == "Matches of each day; the most, 2, on 20 Nov 2026"


def test_a_few_days_make_no_chart(visit: Visit, trials: Trials) -> None:
    """One bar tells nothing."""
    assert preview(trials, [typed("reward model")], now(visit)).bars == ()


def test_several_profiles_are_told_apart(visit: Visit, trials: Trials) -> None:
    """An entry says which ones it is in."""
    found = preview(trials, [typed("reward model", name="A"), typed("quantiz*", name="B")], now(visit))
    assert found.several
    assert {card.profiles for card in found.cards} == {("A",), ("B",)}


def test_an_edit_shows_what_comes_in_and_falls_out(visit: Visit, trials: Trials) -> None:
    """Compared with what is saved, over the same days."""
    before = [Profile("Digest", ("reward model",))]
    found = difference(trials, before, [typed("reward model", "quantiz*", "-survey")], now(visit))
    assert found.summary == "+1 −1 in the last day."
    assert [row.title for row in found.added] == ["Quantization for the patient"]
    assert [row.title for row in found.removed] == ["A survey of reward models"]
    assert difference(trials, before, [typed("reward model")], now(visit)).summary == "Nothing changes in the last day."


def test_who_types_is_answered_with_the_part_that_changes(visit: Visit) -> None:
    """The line that is read out goes to its own place, the rest to the preview."""
    answer = visit.client.post("/preview", data={"keywords-0": "reward model"}, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert '<p id="preview-summary" hx-swap-oob="innerHTML">2 of 4 entries' in answer.text
    assert re.findall(r'<span class="rank">(\d+)', answer.text) == ["1", "2"]


def test_without_scripts_the_same_comes_as_the_page_with_all_that_was_typed(visit: Visit) -> None:
    """The button needs no address yet, and nothing is scolded."""
    form = {"keywords-0": "reward model", "email": "half an addr", "days": "weekdays", "zone": "Asia/Tokyo"}
    answer = visit.client.post("/preview", data=form | {"send_at": "06:15"})
    page = answer.text
    assert answer.status_code == 200
    assert '<p id="preview-summary" role="status">2 of 4 entries' in page
    assert "hx-swap-oob" not in page
    assert "aria-invalid" not in page
    for kept in (
        'value="half an addr"',
        '<option value="weekdays" selected>',
        '"Asia/Tokyo" selected',
        'value="06:15"',
    ):
        assert kept in page
    assert "data-own-zone" not in page  # the zone was chosen


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_typed_is_shown_as_text(visit: Visit, headers: dict[str, str]) -> None:
    """Never as HTML, wherever it stands: field, fault, table, advice."""
    evil = '"><script>alert(1)</script>\n"<img src=x onerror=alert(1)>\n<b>submarine</b>'
    answer = visit.client.post("/preview", data={"keywords-0": evil, "email": evil, "zone": evil}, headers=headers)
    assert not re.findall(r"<(script>|img|b>)", answer.text)
    assert "<b>submarine</b>" in unescape(answer.text)


def test_what_listings_hold_is_shown_as_text(place: Workplace, mails: Mails) -> None:
    """An entry's title is data, and so is its address."""
    with visiting(place, mails) as visit:
        evil = paper("<script>reward</script> models", "reward <img src=x>", url="javascript:alert(1)")
        visit.place.listing("evil.jsonl", [evil])
        visit.app.pipeline.load()
        page = visit.client.post("/preview", data={"keywords-0": "submarine\n<script>\nreward"}, headers=HTMX).text
    assert "&lt;script&gt;" in page
    assert not re.findall(r"<script|<img|javascript:", page)


def test_the_sample_is_a_mail_with_its_own_rules(visit: Visit) -> None:
    """Its styles hold; nothing in it runs, and no other site may frame it."""
    answer = visit.client.get("/sample")
    policy = answer.headers["content-security-policy"]
    assert answer.text.startswith("<!doctype html>")
    assert "Reward Models Disagree Most Where Policies Go Next" in re.sub(r"<[^>]+>", "", answer.text)
    for rule in ("default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox allow-popups"):
        assert rule in policy
    assert "script-src" not in policy

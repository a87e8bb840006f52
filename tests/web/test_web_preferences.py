"""Preferences: everything in one form, with what an edit would change; and the pause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from visits import Visit
from workplace import ADA, DAY, NOON

from digest.cadence import moment, next_due
from digest.model import Cadence, Profile, Subscriber
from digest.store import members, suppressions
from digest.web.member import next_digest
from digest.web.preferences import without

FIELDS = {
    "profile-0": "Rewards",
    "keywords-0": "reward model\r\nsurvey",
    "match-0": "near",
    "capitals-0": "yes",
    "name": "Ada",
    "zone": "Europe/Berlin",
    "send_at": "07:30",
    "days": "weekdays",
    "min_matches": "1",
    "max_entries": "5",
    "paused_until": "",
}
SECOND = {"profile-1": "Maps", "keywords-1": "graph transformer", "match-1": "phrase"}
PAGES = ("/preferences/{manage}", "/preferences/{manage}/data.json", "/preferences/{manage}/delete", "/pause/{pause}")


def path(visit: Visit, more: str = "") -> str:
    """The path of Ada's preferences."""
    return f"/preferences/{visit.token('manage', visit.subscriber(ADA))}{more}"


def pausing(visit: Visit) -> str:
    """The path of her pause."""
    return f"/pause/{visit.token('pause', visit.subscriber(ADA))}"


def posted(visit: Visit, more: Mapping[str, str] | None = None, do: str = "save") -> Response:
    """The answer to the form, with some fields otherwise."""
    return visit.client.post(path(visit), data={**FIELDS, **(more or {}), "do": do})


def ada(visit: Visit) -> Subscriber:
    """What she has set."""
    with visit.app.store.read() as connection:
        member = members.find(connection, visit.subscriber(ADA))
    assert member
    return member.subscriber


def fault(page: Response, name: str) -> str:
    """What is said beside a field."""
    found = re.search(f'id="{name}-fault">(.*?)</p>', page.text, re.DOTALL)
    return found[1] if found else ""


def test_what_is_set_is_shown(visit: Visit) -> None:
    """With the way to everything else."""
    visit.place.run()
    page = visit.client.get(path(visit)).text
    assert "reward model\n-survey</textarea>" in page
    number = visit.subscriber(ADA)
    for link in (f"/feed/{visit.token('feed', number)}", f"/unsubscribe/{visit.token('unsubscribe', number)}"):
        assert f'href="{link}"' in page
    assert f'href="/editions/{visit.token("view", 1)}">Friday, 20 November 2026' in page
    assert f'href="{path(visit)}/data.json"' in page
    assert f'href="{path(visit)}/delete"' in page


def test_to_look_changes_nothing(visit: Visit) -> None:
    """Not on any of these pages."""
    visit.place.run()
    tokens = {purpose: visit.token(purpose, visit.subscriber(ADA)) for purpose in ("manage", "pause")}
    before = visit.place.dump()
    for page in PAGES:
        assert {visit.client.get(page.format(**tokens)).status_code for _ in range(5)} == {200}
        assert visit.client.head(page.format(**tokens)).status_code == 200
    assert visit.place.dump() == before


def test_all_of_it_can_be_changed_at_once(visit: Visit) -> None:
    """And it stays, whatever the configuration says when it is read again."""
    saved = posted(visit, SECOND)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{path(visit)}?done=saved")
    visit.place.run()
    assert replace(ada(visit), id=0) == Subscriber(
        ADA,
        (
            Profile("Rewards", ("reward model", "survey")),
            Profile("Maps", ("graph transformer",), "phrase", capitals=False),
        ),
        "Ada",
        Cadence("weekdays", time(7, 30), "Europe/Berlin"),
        max_entries=5,
    )


def test_the_next_digest_is_told_by_ones_own_clock(visit: Visit) -> None:
    """Friday noon in UTC is Friday evening in Tokyo; with weekdays only, Monday is next."""
    visit.place.run()
    saved = posted(visit, {"zone": "Asia/Tokyo", "send_at": "20:00"})
    page = visit.client.get(saved.headers["location"]).text
    assert "The next digest comes on Monday, 23 November 2026 at 20:00 (Asia/Tokyo)." in page


def test_the_next_mail_is_what_was_saved(visit: Visit) -> None:
    """The same profiles, in the run that follows."""
    posted(visit, {"keywords-0": "quantization", "send_at": ""})
    visit.place.run()
    (text,) = visit.mails.texts(ADA)
    assert "Quantization for the patient" in text
    assert "Reward models that age well" not in text


WRONG: tuple[tuple[dict[str, str], str], ...] = (
    ({"keywords-0": '"reward model'}, "keywords-0"),
    ({"keywords-0": " \r\n "}, "keywords-0"),
    (SECOND | {"keywords-1": "(a OR"}, "keywords-1"),
    (SECOND | {"profile-1": "Rewards"}, "profile-1"),
    ({"profile-0": "x" * 61}, "profile-0"),
    ({"zone": "Europe/Nowhere"}, "zone"),
    ({"send_at": "25:00"}, "send_at"),
    ({"days": "sometimes"}, "days"),
    ({"max_entries": "0"}, "max_entries"),
    ({"max_entries": "many"}, "max_entries"),
    ({"min_matches": "6"}, "min_matches"),
    ({"paused_until": "2026-11-20"}, "paused_until"),
    ({"paused_until": "2028-01-01"}, "paused_until"),
    ({"paused_until": "soon"}, "paused_until"),
)


def test_what_is_wrong_is_said_beside_the_field(visit: Visit) -> None:
    """With everything typed still there, and nothing saved."""
    before = ada(visit)
    for fields, name in WRONG:
        page = posted(visit, fields)
        assert (fields, page.status_code, bool(fault(page, name))) == (fields, 422, True)
        assert 'value="Ada"' in page.text
    assert ada(visit) == before


def version(page: Response) -> dict[str, str]:
    """The field that says what was saved when a page was shown."""
    found = re.search(r'<input type="hidden" name="version" value="(\w+)"', page.text)
    assert found
    return {"version": found[1]}


def test_what_was_changed_elsewhere_is_not_overwritten_unseen(visit: Visit) -> None:
    """In another tab, by a pause or by feedback: the form comes back as typed, and the next save means it."""
    shown = visit.client.get(path(visit))
    visit.client.post(pausing(visit), data={"for": "7", "do": "pause"})
    before = ada(visit)
    again = posted(visit, version(shown) | {"keywords-0": "graph transformer"})
    assert (again.status_code, ada(visit)) == (409, before)
    assert "Your preferences were changed elsewhere meanwhile. Save again to keep what stands here." in again.text
    assert "graph transformer</textarea>" in again.text
    assert posted(visit, version(again) | {"keywords-0": "graph transformer"}).status_code == 303
    assert ada(visit).profiles[0].keywords == ("graph transformer",)


def test_what_was_shown_stays_so_while_a_form_is_filled_in(visit: Visit) -> None:
    """A profile more, a fault or a preview shows nothing anew of what was changed elsewhere."""
    shown = version(visit.client.get(path(visit)))
    posted(visit, {"max_entries": "7"})
    for page in (
        posted(visit, shown, do="add"),
        posted(visit, shown | {"zone": "Mars"}),
        visit.client.post(path(visit, "/preview"), data=FIELDS | shown),
    ):
        assert version(page) == shown
    assert posted(visit, shown).status_code == 409


def test_to_save_the_same_twice_is_no_conflict(visit: Visit) -> None:
    """A double click, or two tabs that agree."""
    shown = version(visit.client.get(path(visit)))
    assert [posted(visit, shown).status_code for _ in range(2)] == [303, 303]


def test_another_profile_and_one_less_are_not_saved_yet(visit: Visit) -> None:
    """Both give the page back with all that was typed, without a word of faults."""
    before = ada(visit)
    more = posted(visit, {"keywords-0": '"half'}, do="add")
    assert (more.status_code, more.text.count("<fieldset>"), "notice wrong" in more.text) == (200, 2, False)
    assert 'id="keywords-1"' in more.text
    assert "&#34;half</textarea>" in more.text
    less = posted(visit, SECOND, do="remove-0")
    assert (less.status_code, less.text.count("<fieldset>")) == (200, 1)
    assert "graph transformer</textarea>" in less.text
    assert 'value="Maps"' in less.text
    assert ada(visit) == before


def test_there_are_so_many_profiles_and_no_more(visit: Visit) -> None:
    """Then there is no button for another, and pressing it all the same adds none."""
    many = {f"keywords-{number}": f"word{number}" for number in range(10)}
    many |= {f"profile-{number}": f"P{number}" for number in range(10)}
    page = posted(visit, many, do="add").text
    assert page.count("<fieldset>") == 10
    assert 'value="add"' not in page


@given(st.sets(st.integers(0, 9), min_size=1), st.integers(0, 12))
def test_a_profile_is_taken_out_and_the_others_move_up(numbers: set[int], gone: int) -> None:
    """Those before it stay, those after it keep their order; other fields are left alone."""
    form = {f"keywords-{number}": [str(number)] for number in numbers} | {"name": ["Ada"], "keywords-x": ["x"]}
    left = dict(without(form, gone))
    assert (left.pop("name"), left.pop("keywords-x")) == (["Ada"], ["x"])
    assert [left[name] for name in sorted(left)] == [[str(number)] for number in sorted(numbers - {gone})]
    assert all(int(name.removeprefix("keywords-")) <= int(value[0]) for name, value in left.items())


def test_the_preview_says_what_an_edit_changes(visit: Visit) -> None:
    """As a part for htmx: what comes in and what falls out; nothing is saved, and no pages are wasted on it."""
    before = ada(visit)
    fields = FIELDS | {"keywords-0": "survey\nquantization"}
    part = visit.client.post(path(visit, "/preview"), data=fields, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "+2 −1" in part.text
    for sign, title in (("plus", "A survey"), ("plus", "Quantization"), ("minus", "Reward models that age well")):
        assert re.search(rf'class="{sign}">.</span> {title}', part.text)
    whole = visit.client.post(path(visit, "/preview"), data=fields)
    assert (whole.status_code, "+2 −1" in whole.text, "survey\nquantization</textarea>" in whole.text) == (
        200,
        True,
        True,
    )
    assert ada(visit) == before


def test_html_in_names_and_keywords_stays_text(visit: Visit) -> None:
    """On the page after saving, and with faults."""
    bad = "<script>alert(1)</script>"
    for page in (
        visit.client.get(posted(visit, {"profile-0": bad, "name": bad}).headers["location"]),
        posted(visit, {"profile-0": bad, "keywords-0": bad, "zone": bad}),
    ):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


def test_who_has_left_sees_how_to_come_back(visit: Visit) -> None:
    """A form that was still open saves nothing; the button subscribes again, as before."""
    before = ada(visit)
    visit.client.post(f"/unsubscribe/{visit.token('unsubscribe', visit.subscriber(ADA))}")
    page = visit.client.get(path(visit)).text
    assert 'value="come back"' in page
    assert "keywords-0" not in page
    assert posted(visit).status_code == 409
    assert ada(visit) == before
    back = visit.client.post(path(visit), data={"do": "come back"})
    assert "subscribed again" in visit.client.get(back.headers["location"]).text
    visit.place.run()
    assert len(visit.mails.to(ADA)) == 1


def test_who_gets_no_mail_is_told(visit: Visit) -> None:
    """Their mail came back once: the page says whom to write to."""
    with visit.app.store.write() as connection:
        suppressions.add(connection, ADA, "bounce", "5.1.1 nobody", NOON)
    page = visit.client.get(path(visit)).text
    assert "held back" in page
    assert "digest@example.org" in page


def test_no_other_link_opens_them(visit: Visit) -> None:
    """Each page takes its own token only."""
    number = visit.subscriber(ADA)
    for purpose in ("pause", "unsubscribe", "view", "feedback", "feed"):
        for more in ("", "/data.json", "/delete"):
            assert visit.client.get(f"/preferences/{visit.token(purpose, number)}{more}").status_code == 404
    assert visit.client.get(f"/pause/{visit.token('manage', number)}").status_code == 404
    assert visit.client.post(path(visit, "/preview").replace(".", ".x")).status_code == 404


def test_a_pause_of_some_length(visit: Visit) -> None:
    """The page says until when, and offers to end it."""
    for chosen, until in (("7", "27 November"), ("14", "4 December"), ("30", "20 December")):
        paused = visit.client.post(pausing(visit), data={"for": chosen, "do": "pause"})
        page = visit.client.get(paused.headers["location"]).text
        assert f"{until} 2026" in page
        assert 'value="end"' in page


def test_nothing_comes_before_the_date_and_all_of_it_on_the_date(visit: Visit) -> None:
    """Through real runs."""
    visit.client.post(pausing(visit), data={"for": "date", "until": "2026-11-23"})
    for day in range(3):
        visit.place.run(NOON + day * DAY)
    assert visit.mails.kept == []
    visit.place.run(NOON + 3 * DAY)
    assert "Reward models that age well" in visit.mails.texts(ADA)[0]


def test_a_pause_can_be_ended(visit: Visit) -> None:
    """And today's digest comes."""
    visit.client.post(pausing(visit), data={"for": "7"})
    ended = visit.client.post(pausing(visit), data={"do": "end", "for": "7"})
    assert "The pause is over" in visit.client.get(ended.headers["location"]).text
    assert ada(visit).paused_until is None
    visit.place.run()
    assert len(visit.mails.to(ADA)) == 1


def test_a_pause_ends_on_a_later_day_within_a_year(visit: Visit) -> None:
    """Anything else is said beside the field, with what was typed."""
    for until in ("", "2026-11-20", "2020-01-01", "2027-12-01", "tomorrow"):
        page = visit.client.post(pausing(visit), data={"for": "date", "until": until})
        assert (until, page.status_code, bool(fault(page, "until"))) == (until, 422, True)
        assert f'value="{until}"' in page.text
    assert visit.client.post(pausing(visit), data={"for": "ever"}).status_code == 422
    assert ada(visit).paused_until is None


def test_the_day_is_that_of_the_subscriber(visit: Visit) -> None:
    """At noon in UTC it is the 21st already on Kiritimati, and still the 20th in Berlin."""
    for zone, status in (("Europe/Berlin", 303), ("Pacific/Kiritimati", 422)):
        posted(visit, {"zone": zone})
        answer = visit.client.post(pausing(visit), data={"for": "date", "until": "2026-11-21"})
        assert (zone, answer.status_code) == (zone, status)
        visit.client.post(pausing(visit), data={"do": "end"})


def test_a_pause_that_is_over_is_forgotten_by_the_form(visit: Visit) -> None:
    """It neither stands in the field, nor is it a fault when something else is saved."""
    visit.client.post(pausing(visit), data={"for": "7"})
    visit.place.clock.at += 8 * DAY
    assert 'name="paused_until" type="date" value=""' in visit.client.get(path(visit)).text
    fields = {name: value for name, value in FIELDS.items() if name != "paused_until"}
    assert visit.client.post(path(visit), data=fields).status_code == 303
    assert ada(visit).paused_until is None


def test_the_pause_page_of_who_has_left_says_so(visit: Visit) -> None:
    """And a post to it subscribes nobody."""
    visit.client.post(f"/unsubscribe/{visit.token('unsubscribe', visit.subscriber(ADA))}")
    assert "You are not subscribed" in visit.client.get(pausing(visit)).text
    assert visit.client.post(pausing(visit), data={"for": "7"}).status_code == 409


RULES = st.sampled_from(["daily", "weekdays", "mon, thu", "last day", "first monday", "monthly on 31"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"])
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(
    st.builds(Cadence, RULES, st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0)), ZONES),
    DATES,
    st.none() | DATES,
    st.sets(st.integers(0, 40)),
)
def test_what_is_said_of_the_next_digest_holds(
    cadence: Cadence, start: date, paused_until: date | None, skipped: set[int]
) -> None:
    """It is a slot, not before the end of the pause, on no day to skip, and the first such one."""
    skip = tuple((start + timedelta(days=offset)).isoformat() for offset in skipped)
    due = next_due(start, cadence)
    person = Subscriber(ADA, (), cadence=cadence, paused_until=paused_until, skip=skip)
    words = next_digest(person, due.due_at, int(datetime.combine(start, time.min, UTC).timestamp()) - DAY, ())
    earliest, slot = max(start, (paused_until or start) - timedelta(days=1)), due
    while slot.date <= earliest or slot.date.isoformat() in skip:
        slot = next_due(slot.date, cadence)
    if (slot.date - start).days <= 399 and words:
        assert f"{slot.date:%-d %B %Y}" in words
        local = datetime.fromtimestamp(moment(slot.date, cadence.send_at, cadence.zone), ZoneInfo(cadence.zone))
        assert (f"{local:%H:%M}" in words) == bool(cadence.send_at)


def test_a_digest_that_is_due_comes_as_soon_as_there_is_something() -> None:
    """Its moment has passed; a pause of years is too far off to say anything."""
    person = Subscriber(ADA, ())
    assert next_digest(person, NOON - DAY // 2, NOON, ()) == "as soon as something new matches"
    assert next_digest(replace(person, paused_until=date(9999, 12, 31)), NOON, NOON, ()) == ""

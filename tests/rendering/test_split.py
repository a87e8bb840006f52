"""A block is split at its syntax, and comes to the same as the whole."""

from __future__ import annotations

import quopri
from dataclasses import replace
from pathlib import Path

import pytest
from editions import LINKS, SITE, sample, synthetic, whole

from digest.rendering.edition import Renderer
from digest.rendering.memory import Memory
from digest.rendering.templates import load_text, packaged

TEXT = (packaged() / "digest.txt").read_text(encoding="utf-8")
MARK = "{{ card.rank }}. {{ card.title }}\n"
OWN = [
    "{% for part in card.title_parts %}[{{ part.text }}{% if part.marked %}!{% endif %}]{% endfor %}\n",
    "{% for label in card.labels %}{{ loop.index }} {{ label.text }}{% endfor %}\n",
    "{% for label in card.labels if label.field %}{{ label.field }}{% else %}none{% endfor %}\n",
    "{% for card in card.links %}{{ card.url }}{% endfor %}\n",
    "{% for name, field in card.reasons %}{{ name }}{{ card.snippet }}{{ field }}{% endfor %}\n",
    "{% if card.labels | length > 1 %}{{ card.snippet }}{% elif card.profiles %}one{% else %}none{% endif %}\n",
    "{% if not card.url %}a{% elif card.snippet and card.labels %}{{ card.profiles | join }}{% else %}c{% endif %}\n",
    "{% if card.snippet %}{% set many = card.labels | length %}{% endif %}{{ many | default(0) }}\n",
    "{% macro told(x) %}{{ x }} {{ card.authors }}{% endmacro %}{{ told(card.snippet) }}{{ told(card.title) }}\n",
    "{% macro a(x) %}1{{ x }}{% endmacro %}{{ a(1) }}{% macro a(x) %}2{{ x }}{% endmacro %}{{ a(card.heading) }}\n",
    "{% with seen = card %}{{ seen.title }} {{ seen.labels | length }}{% endwith %}\n",
    "{{ card['snippet'] }} {{ (card | attr('heading')) }}\n",
    "{% filter upper %}{{ card.snippet }}{% endfilter %}{% block inner scoped %}{{ card.title }}{% endblock %}\n",
    "{% for link in card.links %}{% for label in card.labels %}{{ link }} {{ label.text }}{% endfor %}{% endfor %}\n",
]


@pytest.mark.parametrize("own", OWN)
def test_an_own_template_comes_to_the_same_in_parts(tmp_path: Path, own: str) -> None:
    """Whatever Jinja a card holds, and whichever cards went before, its text is that of the template in one go."""
    (tmp_path / "digest.txt").write_text(TEXT.replace(MARK, MARK + own, 1), encoding="utf-8")
    renderer, plain = Renderer(tmp_path, SITE), load_text(tmp_path, {})
    editions, entries = synthetic(12, 7, entries=9, pairs=40)
    bare = replace(editions[0], profiles=("One", "Two"))
    for edition, known in [sample(), *((each, entries) for each in (*editions, bare))]:
        rendered = renderer.render(edition, known, LINKS)
        assert quopri.decodestring(rendered.text).decode() == plain.whole(whole(edition, known, LINKS)).replace(
            "\n", "\r\n"
        )


def test_what_is_asked_for_is_kept_and_the_rest_forgotten() -> None:
    """Of ever new values no more is kept than there is room for, and never the one in use all the time."""
    memory = Memory[str](100_000)
    memory.keep("used", "x", 10)
    for number in range(10_000):
        memory.keep(number, "y", 100)
        assert memory.get("used") == "x"
    kept = sum(memory.get(number) is not None for number in range(10_000))
    assert 50 < kept <= 200
    assert memory.get(9_999) == "y"

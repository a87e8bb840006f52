"""Which column of a table holds which field, told from the names in its header row.

Rules
-----
1. A name counts without case, accents and punctuation. For each field the names below are tried in order, so what is
   surest stands first; a column serves one field only.
2. A title or abstract may also be named by two to four words ("Title of paper"), if none of them makes it something
   else ("Journal title").
3. What is configured comes before anything guessed, and must be there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from digest.errors import ListingError

# English, German, French and Spanish words, and the exports of Zotero, Scopus, Web of Science, PubMed, Semantic
# Scholar and OpenAlex. A plural needs no line of its own where "s" makes it.
_NAMES = {
    "title": "title, titel, titre, titulo, display name, paper title, article title, document title, ti, paper",
    "abstract": "abstract, abstract note, summary, zusammenfassung, kurzfassung, resume, resumen, description, ab",
    "authors": "author full names, authors, author, author s, author names, creators, autoren, autor, auteurs, auteur, "
    "autores, authorships author display name, raw author names, af, au",
    "doi": "doi, digital object identifier, doi link, di",
    "arxiv": "arxiv, arxiv id, arxivid, eprint, extra",
    "url": "url, link, links, paper url, article url, web url, landing page url, primary location landing page url, "
    "permalink, href, lien, enlace, weblink, pdf url",
    "published": "publication date, date published, published date, published, date, pub date, date of publication, "
    "datum, fecha, date de publication, veroffentlicht, publication year, year, jahr, annee, ano, py",
    "source": "source title, publication title, journal, journal name, journal title, journal book, venue, conference, "
    "conference name, container title, primary location source display name, host venue display name, publication, "
    "zeitschrift, revue, revista, so, source, quelle, fuente",
    "categories": "author keywords, keywords, keyword, categories, category, manual tags, tags, subjects, subject, "
    "fields of study, topics, schlagworter, schlusselworter, mots cles, palabras clave, index keywords, de",
    "votes": "votes, upvotes, likes, score",
    "version": "version",
    "links": "code, code url, code link, github, repository, project page",
    "notes": "comments, comment, notes, note, kommentar",
}
FIELDS = tuple(_NAMES)
_WORDS = {"title": "title, titel, titre, titulo", "abstract": "abstract"}
_OTHERWISE = (
    "journal, source, publication, book, series, short, conference, proceedings, venue, container, abbreviated, "
    "project, job, id, url, link, date, language, type, length, has, original, translated"
)
_SIGNS = re.compile(r"[^a-z0-9]+")


def plain(name: str) -> str:
    """A column's name in lower case, without accents and punctuation ("Résumé" → "resume")."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _SIGNS.sub(" ", letters).strip()


def titled(header: Sequence[str]) -> bool:
    """Whether a column is named like a title."""
    return next(_fitting("title", [plain(name) for name in header]), None) is not None


def is_title(name: str) -> bool:
    """Whether a name is the very word for a title."""
    return plain(name) in _WORDS["title"].split(", ")


def told(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """The place of the column of each field that has one. Raises ListingError for a chosen column that is not there."""
    places = {name: _chosen(header, name, column) for name, column in chosen.items()}
    names = [plain(name) for name in header]
    for name in FIELDS:
        if name not in places:
            free = (place for place in _fitting(name, names) if place not in places.values())
            if (place := next(free, None)) is not None:
                places[name] = place
    return {name: places[name] for name in FIELDS if name in places}


def quoted(header: Sequence[str], most: int = 30) -> str:
    """Column names for a message, as many as one can read."""
    names = [f'"{name.strip()[:60]}"' for name in header if name.strip()]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _chosen(header: Sequence[str], name: str, column: str) -> int:
    """The column of this very name, else of one that looks the same."""
    alike = [plain(one) or one for one in header]
    for wanted, names in ((column.strip(), header), (plain(column), alike)):
        if wanted in names:
            return names.index(wanted)
    raise ListingError(
        f'the table has no column "{column}", which the setting columns gives for {name}; it has {quoted(header)}'
    )


def _fitting(field: str, names: Sequence[str]) -> Iterator[int]:
    """The columns that may hold a field, the surest first. `names` are plain."""
    for wanted in _NAMES[field].split(", "):
        yield from (place for place, name in enumerate(names) if name == wanted)
    said, otherwise = set(_WORDS.get(field, "").split(", ")), set(_OTHERWISE.split(", "))
    for place, name in enumerate(names):
        words = set(name.split())
        if len(words) <= 4 and words & said and not words & otherwise:
            yield place

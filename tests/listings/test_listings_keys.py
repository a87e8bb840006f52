"""The identities of entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.listings.keys import keys


@pytest.mark.parametrize(
    ("url", "doi", "arxiv", "found"),
    [
        ("", "10.1000/ABC.1", "", ["doi:10.1000/abc.1"]),
        ("", "https://doi.org/10.1000/abc.1", "", ["doi:10.1000/abc.1"]),
        ("", "doi:10.1000/abc.1", "", ["doi:10.1000/abc.1"]),
        ("", "10.48550/arXiv.2501.01234", "", ["arxiv:2501.01234"]),
        ("", "", "arXiv:2501.01234v3", ["arxiv:2501.01234"]),
        ("", "", "hep-th/9901001v1", ["arxiv:hep-th/9901001"]),
        ("", "", "math.GT/0309136", ["arxiv:math/0309136"]),
        ("", "", "https://arxiv.org/pdf/2501.01234v1.pdf", ["arxiv:2501.01234"]),
        ("", "", "none yet", []),
        ("http://arxiv.org/abs/hep-th/9901001", "", "", ["arxiv:hep-th/9901001", "url:http://arxiv.org/abs/hep-th/9901001"]),
        ("https://www.alphaxiv.org/abs/2501.01234", "", "", ["arxiv:2501.01234", "url:https://www.alphaxiv.org/abs/2501.01234"]),
        ("https://huggingface.co/papers/2501.01234", "", "", ["arxiv:2501.01234", "url:https://huggingface.co/papers/2501.01234"]),
        ("https://doi.org/10.1000/ABC", "", "", ["doi:10.1000/abc", "url:https://doi.org/10.1000/ABC"]),
        ("https://dl.example.org/doi/pdf/10.1000/ABC", "", "", ["doi:10.1000/abc", "url:https://dl.example.org/doi/pdf/10.1000/ABC"]),
        ("https://openreview.net/forum?id=aB_9", "", "", ["openreview:aB_9", "url:https://openreview.net/forum?id=aB_9"]),
        ("https://aclanthology.org/2023.acl-long.1/", "", "", ["acl:2023.acl-long.1", "url:https://aclanthology.org/2023.acl-long.1"]),
        ("https://www.aclweb.org/anthology/P19-1001.pdf", "", "", ["acl:p19-1001", "url:https://www.aclweb.org/anthology/P19-1001.pdf"]),
        ("HTTPS://Example.ORG:443/A/?utm_source=x&b=1#top", "", "", ["url:https://example.org/A?b=1"]),
        ("http://[broken", "", "", []),
        ("http://example.org:99999/", "", "", []),
        ("javascript:alert(1)", "", "", []),
    ],
)  # fmt: skip
def test_identities_strongest_first(url: str, doi: str, arxiv: str, found: list[str]) -> None:
    """DOI, arXiv id, site id and URL are told from every form in which they are written; the title is always last."""
    assert keys("A Title", url, doi, arxiv) == (*found, "title:a title")


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Fine-Tuning:  the “Best” Way!", "title:fine tuning the best way"),
        ("ﬁne Straße", "title:fine strasse"),
        ("小型模型、評価", "title:小型模型 評価"),
        ("हिन्दी भाषा", "title:हिन्दी भाषा"),
        ("Cafe\u0301", "title:café"),
    ],
)
def test_titles_keep_the_words_of_every_script(title: str, key: str) -> None:
    """A title's key is its words in lower case, in whatever script."""
    assert keys(title) == (key,)


def test_titles_without_words_and_endless_ones_are_told_by_a_hash() -> None:
    """What has no words, or far too many, still has a key of its own, and a short one."""
    found = {keys(title)[-1] for title in ("?", "!!", "x" * 500, "x" * 501)}
    assert len(found) == 4
    assert all(key.startswith("title:sha256-") and len(key) < 100 for key in found)


WORDS = st.lists(st.text("abcxyzäöüßéøαβγджя小型模型1234", min_size=1, max_size=8), min_size=1, max_size=8)


@given(
    WORDS,
    st.sampled_from([" ", "  ", "\n", " - ", ": ", "\u00a0", "?! "]),
    st.sampled_from([str.upper, str.title, str]),
)
def test_a_title_key_does_not_depend_on_case_space_or_punctuation(
    words: list[str], between: str, case: type[str]
) -> None:
    """The same words give the same key, however they are set."""
    assert keys(f"“{case(between.join(words))}.”") == keys(" ".join(words))


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_has_keys(title: str, url: str, doi: str, arxiv: str) -> None:
    """Nothing raises, no key is there twice, and the last is the title's."""
    found = keys(title, url, doi, arxiv)
    assert len(set(found)) == len(found)
    assert found[-1].startswith("title:")
    assert len(found[-1]) > len("title:")

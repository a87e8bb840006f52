"""Is a line a title or prose? An answer in log odds, from features that a reader would name.

Each feature gives evidence in nats: above zero for prose, below zero for a title. The weights were chosen by hand and
checked on trending pages, their titles put in sentence case too; no single feature decides.
"""

from __future__ import annotations

import math
import re

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE_BREAK = re.compile(r"(?:[a-z]{3}|\d|[\])\"'”%])\.[\"'”)]*\s+[\"'“‘(\[]*[A-Z]")
_LINK_AT_END = re.compile(r"(?:https?://|www\.)\S+$")
_NAMED = re.compile(r"[^\s:]+(?: [^\s:]+){0,4}: ?\S")
_LOWER = re.compile(r"[a-z]+[ ,;.]")
_LIST_MARK = re.compile(r"(?:[•‣·▪]\s*|[-–*]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+)(?=\S)")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_CJK_PROSE = re.compile("[，。；]|我们|本文|我們|です|ます|する|본 논문|습니다")

# Words that carry a sentence. In lower case only: title case writes them with a capital ("One Epoch Is All You Need").
_FINITE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|cannot|could|may|might|must|should|will|would|shows?|"
    r"proposes?|presents?|introduces?|demonstrates?|find|argue|achieves?|remains?|leads|allows|enables|requires|"
    r"outperforms|study|investigate|evaluate|exhibits|suggests|provides?|consists|makes|becomes|suffers)\b"
)
_LINKING = re.compile(
    r"\b(?:this|these|those|that|which|who|whose|it|its|they|their|them|such|both|also|however|thus|therefore|while|"
    r"whereas|when|where|because|than|more|most|some|many|several|other|only|not|no|as|there|often|yet|but|then|here)\b"
)
_WE = re.compile(r"\b(?:we|our|us|my)\b")
_OPENERS = re.compile(
    r"(?:We|This (?:paper|work|article|study|survey|report|thesis)|Recent|Recently|Although|While|Despite|Here|In this|"
    r"To address|Existing|Project)\b"
)
_BACK_REFERENCES = re.compile(
    r"(?!Recently|This (?:paper|work|article|study|survey|report|thesis))"
    r"(?:However|Moreover|Furthermore|Therefore|Thus|Hence|Meanwhile|Yet|But|These|Those|They|It|This|Our|Such|Unlike|"
    r"All (?:these|this)|Experiment(?:s|al)|Extensive|As a result|For (?:example|instance)|To (?:this|the best)|"
    r"In (?:addition|particular|contrast|response|doing so)|(?:First|Second|Third|[A-Z][a-z]+ly),|"
    r"The (?:results?|resulting|proposed)|(?:The )?(?:[Ss]ource )?[Cc]odes?)\b"
)


def leaning(line: str) -> float:
    """The log odds that a line (tidied, not empty) is prose; below zero it reads like a title."""
    if len(_CJK.findall(line[:400])) * 3 > len(line[:400]):
        return _cjk_leaning(line)
    return _by_length(len(line)) + _by_ending(line) + _by_capitals(line) + _by_words(line) + _by_shape(line)


def listed(line: str) -> bool:
    """Whether a line begins like a point of a list: a bullet, or a number or letter with a stop or parenthesis."""
    return bool(_LIST_MARK.match(line))


def refers_back(line: str) -> bool:
    """Whether a line begins with words that need a text before them ("However", "These", "To this end")."""
    return bool(_BACK_REFERENCES.match(line))


def unfinished(before: str, line: str) -> bool:
    """Whether a line goes on with the sentence of the one before: after a colon or comma, or in lower case."""
    return before.endswith((":", ",", ";")) or (_LOWER.match(line) is not None and not before.endswith((".", "!", "?")))


def _by_length(length: int) -> float:
    """Titles have 15 to 130 characters, rarely over 200; a sentence of prose 60 to 250; an abstract 400 to 2,000."""
    return max(-3.0, min(9.0, 3.0 * math.log(length / 150)))


def _by_ending(line: str) -> float:
    """Sentences end in a full stop, titles in none; a question may be either."""
    if line.rstrip("\"'”’)]").endswith((".", "…")) or _LINK_AT_END.search(line[-300:]):
        return 3.5
    if line.endswith((":", ";", ",")):
        return 1.5
    return -1.0 if line.endswith(("?", "!")) else -2.0


def _by_capitals(line: str) -> float:
    """Title case capitalises nearly every longer word; sentences capitalise few."""
    words = [word for word in _WORD.findall(line[:400])[1:] if len(word) > 3]
    if len(words) < 2:
        return 0.0
    return 1.5 - 5.0 * sum(not word[0].islower() for word in words) / len(words)


def _by_words(line: str) -> float:
    """Words that make a sentence, as far as the first few sentences go."""
    beginning = line[:600]
    finite, linking = len(_FINITE.findall(beginning)), len(_LINKING.findall(beginning))
    opener = refers_back(line) or bool(_OPENERS.match(line))
    return 1.2 * min(2, finite) + 0.5 * min(3, linking) + 2.0 * bool(_WE.search(beginning)) + 2.0 * opener


def _by_shape(line: str) -> float:
    """Sentence after sentence is prose; a name, a colon and an explanation is a title."""
    breaks = min(2, len(_SENTENCE_BREAK.findall(line)))
    return 3.0 * breaks - 1.5 * bool(_NAMED.match(line))


def _cjk_leaning(line: str) -> float:
    """A CJK character says as much as three letters, and has no capitals."""
    signs = min(3, len(_CJK_PROSE.findall(line)))
    ending = 3.0 if line.endswith(("。", ".", "！")) else -2.0
    return _by_length(3 * len(line)) + ending + 1.0 * signs

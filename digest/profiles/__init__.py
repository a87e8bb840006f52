"""Keyword profiles: the query language, queries said in words, and advice on a profile."""

from digest.profiles.lint import Advice, lint
from digest.profiles.parse import check, parse
from digest.profiles.query import And, InField, Keyword, Not, Or, Pattern, Phrase, Prefix, Query, Words
from digest.profiles.words import in_words

__all__ = [
    "Advice",
    "And",
    "InField",
    "Keyword",
    "Not",
    "Or",
    "Pattern",
    "Phrase",
    "Prefix",
    "Query",
    "Words",
    "check",
    "in_words",
    "lint",
    "parse",
]

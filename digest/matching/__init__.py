"""Which entries match which profiles, how well, and why. Pure: no clock, no file but a built-in table."""

from digest.matching.crowd import Chosen, Crowd
from digest.matching.frequencies import Count, Frequencies, Lookup, built_in
from digest.matching.rank import Reader
from digest.matching.select import Selection, Selector

__all__ = [
    "Chosen",
    "Count",
    "Crowd",
    "Frequencies",
    "Lookup",
    "Reader",
    "Selection",
    "Selector",
    "built_in",
]

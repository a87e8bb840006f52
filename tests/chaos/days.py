"""Readers and the listing files of their days, with what each reader is to get of them."""

from __future__ import annotations

import random
import re
import string
from collections import defaultdict
from dataclasses import dataclass, field

from workplace import Workplace, paper, subscriber

WORDS = ("alpha", "beta", "gamma")
TOKEN = re.compile(r"\btk\d+\b")
"""In the title of every paper that somebody wants, and in no other."""
_DOMAINS = 5


@dataclass(slots=True)
class Days:
    """A workplace with so many readers, and the tokens of the papers that each wants.

    With `nobody`, there is one more, whom the relay refuses in every weather.
    """

    place: Workplace
    chance: random.Random
    readers: int
    nobody: bool
    fillers: int = 40
    wanted: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _papers: int = 0
    _files: int = 0

    def configure(self, connections: int, extra: str) -> None:
        """Write the configuration."""
        people = [subscriber(email, [word], max_entries=100) for email, word in self.people().items()]
        self.place.configure(*people, smtp=f"connections = {connections}", extra=extra)

    def people(self) -> dict[str, str]:
        """The readers' addresses, and the word that each looks for."""
        names = [f"reader{n}" for n in range(self.readers)] + ["nobody"] * self.nobody
        return {f"{name}@d{n % _DOMAINS}.example.org": WORDS[n % len(WORDS)] for n, name in enumerate(names)}

    def listing(self) -> None:
        """A new listing file: a few papers that are wanted, and many that are not. Some come twice, in two files."""
        wanted = [self._wanted() for _ in range(self.chance.randint(2, 4))]
        papers = [paper(title) for title in [*wanted, *(self._title("filler") for _ in range(self.fillers))]]
        self.chance.shuffle(papers)
        self._files += 1
        self.place.listing(f"{self._files:05}.jsonl", papers)
        if self.chance.random() < 0.2:
            self.place.listing(f"{self._files:05}-again.jsonl", papers[::-1])

    def _wanted(self) -> str:
        self._papers += 1
        token, words = f"tk{self._papers}", self.chance.sample(WORDS, self.chance.randint(1, 3))
        for email, word in self.people().items():
            if word in words:
                self.wanted[email].add(token)
        return self._title(" ".join([*words, token]))

    def _title(self, subject: str) -> str:
        """A title that is near to no other."""
        made = ("".join(self.chance.choices(string.ascii_lowercase, k=9)) for _ in range(5))
        return f"On {subject} with {' '.join(made)}"

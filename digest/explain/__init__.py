"""Why an entry was in somebody's edition or not.

Rules
-----
1. What is in an edition stands in its row. All else is matched again, by the keywords as they are now.
2. An entry is told of the edition that has it in its window; if there is none with a mail, of the newest without.
"""

from digest.explain.single import explain
from digest.explain.verdict import Placed, Standing, Verdict
from digest.explain.window import Opened, of_window

__all__ = ["Opened", "Placed", "Standing", "Verdict", "explain", "of_window"]

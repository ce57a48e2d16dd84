"""How long to pause before a failed request is sent again."""

import random

# Seconds: the first pause is at most FIRST, the doubling stops at LONGEST_DOUBLED, and a longer wait that the server
# asks for is cut to LONGEST_ASKED.
FIRST, LONGEST_DOUBLED, LONGEST_ASKED = 0.2, 10.0, 30.0


def backoff(failures: int, asked: float = 0.0, longest: float = LONGEST_ASKED) -> float:
    """Seconds to pause after the n-th failure in a row.

    The pause doubles with each failure. It is random, between half of that and all of it, so that clients that failed
    together do not return together. It is at least the `asked` seconds of Retry-After, and it never exceeds `longest`
    by more than a tenth.
    """
    doubled = min(FIRST * 2.0 ** min(failures - 1, 10), LONGEST_DOUBLED, longest)
    return max(doubled * random.uniform(0.5, 1.0), min(asked, longest) * random.uniform(1, 1.1))

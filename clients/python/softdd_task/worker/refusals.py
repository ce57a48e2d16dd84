"""Whether a refused claim ends the worker."""

import time
from typing import Optional

from ..errors import TaskApiError

# Seconds for which the queue may reject the token of a worker that has claimed before. Meanwhile the token may be
# renewed, or a guard of the host may recover.
REFUSED_FOR = 300.0


class Refusals:
    """Judges the failures of one worker's claims."""

    def __init__(self, refused_for: float = REFUSED_FOR):
        self._refused_for = refused_for
        self._worked = False
        # When the token was first rejected, of the rejections in a row.
        self._since: Optional[float] = None

    def answered(self) -> None:
        """Notes that a claim succeeded."""
        self._worked, self._since = True, None

    @property
    def forbidden(self) -> bool:
        """Whether the last claim failed because the queue rejected the token."""
        return self._since is not None

    def is_final(self, error: TaskApiError) -> bool:
        """Notes a failure. Returns whether the worker must end.

        It ends when the queue itself says no, or when a server that never answered a claim does.
        """
        now = time.monotonic()
        self._since = (now if self._since is None else self._since) if error.forbidden else None
        if error.retryable or error.http_status >= 500 or (error.code == 0 and self._worked):
            return False
        is_passing = self._worked and self._since is not None and now - self._since < self._refused_for
        return not is_passing

"""How long the steps of a run take."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Clock:
    """Seconds spent, step by step."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, step: str) -> None:
        """Charge the time since the last lap to ``step``."""
        now = time.monotonic()
        self.seconds[step] = round(self.seconds.get(step, 0.0) + now - self._last, 3)
        self._last = now

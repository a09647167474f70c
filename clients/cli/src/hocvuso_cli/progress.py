"""How far a file has come: a moving line on a terminal, a line every few seconds in a pipe."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from hocvuso_cli.language import say

LIVE_S = 0.2
PIPED_S = 5.0


class Progress:
    """Lines done of a total (None: not known), with a rate and the time that is left."""

    def __init__(
        self,
        total: int | None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._clock = clock
        self._live = self._stream.isatty()
        self._start = self._last = clock()
        self._width = 0

    def __call__(self, done: int) -> None:
        """Report how many lines are done, if it is time for it."""
        now = self._clock()
        if now - self._last < (LIVE_S if self._live else PIPED_S):
            return
        self._last = now
        text = self.text(done, now - self._start)
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def text(self, done: int, seconds: float) -> str:
        """12,000 of 50,000 lines (24 %), 830 a second, 46 s left."""
        rate = done / seconds if seconds > 0 else 0.0
        words = [say(vi=f"{_number(done)} dòng", en=f"{_number(done)} lines")]
        if self._total:
            share = min(100, 100 * done // self._total)
            words = [
                say(
                    vi=f"{_number(done)} trên {_number(self._total)} dòng ({share} %)",
                    en=f"{_number(done)} of {_number(self._total)} lines ({share} %)",
                )
            ]
        words.append(say(vi=f"{_number(int(rate))} dòng/giây", en=f"{_number(int(rate))} a second"))
        if self._total and rate and done < self._total:
            left = int((self._total - done) / rate) + 1
            words.append(say(vi=f"còn khoảng {left} giây", en=f"{left} s left"))
        return ", ".join(words)

    def end(self) -> None:
        """Leave the moving line."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()


def _number(value: int) -> str:
    return say(vi=f"{value:,}".replace(",", "."), en=f"{value:,}")

"""What a client has seen of one film's events, so that none is left out and none comes twice."""

from __future__ import annotations

from rushes.protocol import Told


class Following:
    """Events are numbered 1, 2, 3 … by one daemon. Until the state has been seen, and while some are missing,
    those that come are held back."""

    def __init__(self, film: str) -> None:
        self.film = film
        self.asked = False  # a snapshot is on its way
        self._daemon = ""
        self._last: int | None = None
        self._held: dict[int, Told] = {}

    @property
    def lacks(self) -> bool:
        """Whether events are held back because some before them are missing."""
        return bool(self._held)

    def since(self, daemon: str) -> int | None:
        """The number from which on events are missing; None where only the whole state helps, because this daemon
        is not the one whose events were seen."""
        if daemon != self._daemon:
            self._daemon, self._last, self._held = daemon, None, {}
        return self._last

    def is_behind(self, last: int) -> bool:
        """Whether the daemon has said more than was seen."""
        return self._last is not None and self._last < last

    def next(self, told: Told) -> list[Told]:
        """An event that came: what can be shown now."""
        if self._last is not None and told.seq <= self._last:
            return []
        self._held[told.seq] = told
        return self._in_order()

    def caught_up(self, state: Told, seq: int, missed: list[Told] | None) -> list[Told]:
        """A state that was asked for: the events it brings, or itself where they are not known any more."""
        self.asked = False
        if missed is not None and self._last is not None:
            for told in missed:
                if told.seq > self._last:
                    self._held[told.seq] = told
            return self._in_order()
        self._last = seq
        self._held = {number: told for number, told in self._held.items() if number > seq}
        return [state, *self._in_order()]

    def _in_order(self) -> list[Told]:
        found: list[Told] = []
        while self._last is not None and self._last + 1 in self._held:
            self._last += 1
            found.append(self._held.pop(self._last))
        return found

"""A talk with the daemon that an operator begins.

With a window nothing waits: the operator ends at once, the answer is dealt with in the tick in which it comes, and
what goes wrong by then is noted in the film, where the panel shows it. Without one, in scripts, the operator waits
for the answer and reports.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import bpy

from .. import running, scenes
from ..edits import identity, journal, pulling
from ..texts import error_text, printable
from .meaning import CANCELLED, FINISHED

if TYPE_CHECKING:
    from .meaning import Outcome, Scene

Result = dict[str, Any]
Then = Callable[[Result], None]
Done = Callable[[Result | None, Result | None], None]

Level = Literal["INFO", "WARNING", "ERROR"]

LIMIT_S = 120.0
"""How long a script waits for an answer."""


class Talk:
    """Used as a context: at its end the operator waits, or goes. `otherwise` is called when the daemon refuses.

    What the answers change in Blender is one step for Undo, pushed when nothing more is asked.
    """

    def __init__(self, operator: bpy.types.Operator, scene: Scene, path: str = "") -> None:
        """About the scene's film, or the one at `path`."""
        self.path = os.path.realpath(path) if path else scenes.film_of(scene)
        self.otherwise: Callable[[], None] = lambda: None
        self._scene = identity.key_of(scene)
        self._operator: bpy.types.Operator | None = operator
        self._label = operator.bl_label
        self._asked = 0
        self._told = 0
        self._has_changed = False
        self._has_failed = False

    # -- with the daemon -------------------------------------------------------------------------------------

    def ask(self, body: Result, then: Then) -> None:
        """Ask about the film; `then` gets the result."""
        running.session().ask({"film": self.path, **body}, self._expect(then))

    def pull(self, scene: Scene, then: Then, make: Iterable[Result] = (), bring: bool = False) -> None:
        """Take the cut into the film, strips named in `make` as shots; `then` gets the answer, with `bring` what
        the sequence lacks in it."""
        pulling.request(scene, self._expect(then), make, bring)

    def pull_first(self, scene: Scene, then: Callable[[], None]) -> None:
        """Go on when the film has the cut as it is now; at once where the cut is not taken into it."""
        if scenes.is_frozen(scene):
            then()
        else:
            self.pull(scene, lambda _: then())

    def do(self, scene: Scene, forward: Result, back: Result, label: str) -> None:
        """A command about the film that is part of this operator's step: Undo sends `back`."""
        self._told += 1
        self._has_changed = True
        named = {"film": self.path}
        journal.do(scene, {**named, **forward}, {**named, **back}, label, self._did)

    # -- with the person -------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Say that something was changed in Blender."""
        self._has_changed = True

    def say(self, text: str, level: Level = "INFO") -> None:
        """Tell the person: by the operator while it runs, later in the film's notes, for what is no mere INFO."""
        self._has_failed |= level == "ERROR"
        if self._operator is not None:
            self._operator.report({level}, printable(text))
            return
        film = running.session().film(self.path)
        if film is not None and level != "INFO":
            film.note(printable(text))
            running.redraw()

    def fail(self, error: Result) -> None:
        """Say an error of the daemon, with its remedy."""
        self.say(error_text(error) or "It did not work", "ERROR")

    @property
    def outcome(self) -> Outcome:
        return CANCELLED if self._has_failed else FINISHED

    # -- where it was begun ----------------------------------------------------------------------------------

    def began_in(self) -> Scene | None:
        """The scene that it began in, where that is still there."""
        return identity.find(self._scene)

    def scene(self) -> Scene | None:
        """The same, where it is of this film."""
        found = self.began_in()
        return found if found is not None and scenes.film_of(found) == self.path else None

    # -- waiting ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._operator is not None and "UNDO" in self._operator.bl_options:
            self._has_changed = False  # Blender pushes the step of what was changed by now
        if bpy.app.background and kind is None:
            self._wait()
        self._operator = None
        if self._asked:
            bpy.context.window_manager.progress_begin(0, 1)

    def _expect(self, then: Then) -> Done:
        """What to give to whoever answers later."""
        self._asked += 1

        def done(result: Result | None, error: Result | None) -> None:
            try:
                if error is not None:
                    self.fail(error)
                    self.otherwise()
                else:
                    then(result or {})
            finally:
                self._asked -= 1
                if not self._asked:
                    self._end()

        return done

    def _did(self, result: Result | None, error: Result | None) -> None:
        """What was told is done, or not, which the film's notes say already."""
        self._told -= 1
        if error is not None and self._operator is not None:
            self.fail(error)

    def _end(self) -> None:
        """Nothing more is asked."""
        if self._has_changed:
            self._has_changed = False
            bpy.ops.ed.undo_push(message=self._label)
        if self._operator is None:
            bpy.context.window_manager.progress_end()

    def _wait(self) -> None:
        ends = time.monotonic() + LIMIT_S
        while self._is_open() and time.monotonic() < ends:
            running.session().poll(0.05)
            time.sleep(0.002)
        if self._is_open():
            self.say(f"No answer within {LIMIT_S:.0f} seconds", "ERROR")

    def _is_open(self) -> bool:
        """Whether something is to come: answers, or all of a film that was linked just now."""
        film = running.session().film(self.path)
        is_new = film is not None and not film.is_known and not film.fault
        return bool(self._asked + self._told) or (is_new and not self._has_failed)

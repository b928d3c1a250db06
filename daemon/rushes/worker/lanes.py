"""A lane: one thread that does its requests one after the other, any of which can be cancelled at any time.

A worker has two. While the "encode" lane feeds ffmpeg with shot n, the "generate" lane makes shot n+1.
"""

from __future__ import annotations

import errno
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable

from rushes.generators import base
from rushes.worker import protocol
from rushes.worker.protocol import MAX_TEXT, Answer, Failed, Work
from rushes_otio.errors import MediaFault, RushesError

PROGRESS_EVERY = 0.1
"""Seconds between two Progress answers of one request."""

PREVIEW_EVERY = 1.0
"""Seconds between two Preview answers of one request."""

LOADING = "loading"
"""What a generator says it is doing while it loads weights."""

Send = Callable[[Answer], None]


class Unfit(Exception):
    """The output is not what was asked for; `kind` and words as `Failed` has them."""

    def __init__(self, kind: protocol.FailKind, error: str, remedy: str = "") -> None:
        super().__init__(error)
        self.kind = kind
        self.remedy = remedy


class Task:
    """One running request: where its progress goes, and how it is stopped from another thread."""

    def __init__(self, request_id: int, stage: str, send: Send) -> None:
        self.id = request_id
        self.stage = stage
        self.loading = 0.0
        """Seconds that this request has spent on loading weights."""
        self._doing = ""
        self._since = 0.0
        self.cancelled = threading.Event()
        self._send = send
        self._told = 0.0
        self._shown = 0.0
        self._ended = False
        self._lock = threading.Lock()

    def now(self, doing: str) -> None:
        """What the next steps are of; empty for the stage itself."""
        now = time.monotonic()
        if self._doing == LOADING:
            self.loading += now - self._since
        self._doing, self._since = doing, now

    def progress(self, done: int, total: int) -> None:
        """Tell the supervisor, at most ten times a second; `Cancelled` once nobody wants the result. Nothing
        is told after the answer, should a generator's own thread outlive its stage."""
        if self.cancelled.is_set():
            raise base.Cancelled
        now = time.monotonic()
        with self._lock:
            if self._ended or now - self._told < PROGRESS_EVERY:
                return
            self._told = now
            stage = self._doing or self.stage
            self._send(protocol.Progress(id=self.id, stage=stage, done=int(done), total=int(total)))

    def preview(self, jpeg: Callable[[], bytes]) -> None:
        """Show what is coming, at most once a second; `jpeg` is only called when it is shown."""
        now = time.monotonic()
        if now - self._shown < PREVIEW_EVERY:
            return
        self._shown = now
        try:
            small = jpeg()
        except Exception:  # nobody's take fails for a preview
            return
        with self._lock:
            if not self._ended:
                self._send(protocol.Preview(id=self.id, jpeg=small))

    def end(self) -> None:
        """No progress from here on."""
        with self._lock:
            self._ended = True


Do = Callable[[Work, Task], protocol.Done]
"""Does one request; any exception is turned into the answer that fits it."""


class Lane:
    """Requests in, answers out through `send` (from any thread), in order, one at a time."""

    def __init__(self, name: str, do: Do, send: Send) -> None:
        self._do = do
        self._send = send
        self._waiting: deque[Work] = deque()
        self._task: Task | None = None
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"lane-{name}", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()

    def cancel(self, request_id: int) -> None:
        """Drop a waiting request, or stop the running one; nothing where it is neither."""
        with self._changed:
            found = next((work for work in self._waiting if work.id == request_id), None)
            if found is not None:
                self._waiting.remove(found)
            task = self._task if self._task is not None and self._task.id == request_id else None
        if found is not None:
            self._send(protocol.Cancelled(id=request_id))
        if task is not None:
            task.cancelled.set()

    def stop(self) -> None:
        """Drop everything and let the thread end; it is not waited for, as what it runs may hang."""
        with self._changed:
            self._waiting.clear()
            self._stopped = True
            task = self._task
            self._changed.notify()
        if task is not None:
            task.cancelled.set()

    def _run(self) -> None:
        while (task_and_work := self._next()) is not None:
            task, work = task_and_work
            answer = _attempt(self._do, work, task)
            task.end()
            with self._changed:
                self._task = None
            self._send(answer)

    def _next(self) -> tuple[Task, Work] | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._stopped)
            if self._stopped:
                return None
            work = self._waiting.popleft()
            self._task = Task(work.id, type(work).__name__.lower(), self._send)
            return self._task, work


def _attempt(do: Do, work: Work, task: Task) -> Answer:
    """The one answer to `work`. A generator may raise anything, SystemExit included: the lane goes on."""
    try:
        task.progress(0, 0)
        done = do(work, task)
    except BaseException as error:
        if task.cancelled.is_set():
            return protocol.Cancelled(id=work.id)
        return _failed(work.id, error)
    return done


def _failed(request_id: int, error: BaseException) -> Failed:
    kind, text, remedy = _explain(error)
    trace = "".join(traceback.format_exception(error))
    return Failed(id=request_id, kind=kind, error=_sent(text), remedy=_sent(remedy), trace=_sent(trace))


def _explain(error: BaseException) -> tuple[protocol.FailKind, str, str]:
    """Kind, text and remedy. torch's OutOfMemoryError is known by name, as torch may not be imported here."""
    match error:
        case RushesError():
            kind: protocol.FailKind = "broken" if isinstance(error, MediaFault) else "refused"
            return kind, error.text + (f" ({error.where})" if error.where else ""), error.remedy
        case Unfit():
            return error.kind, str(error), error.remedy
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return "disk", "the disk is full", "free some space, then render again"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory", "there was not enough memory", "close other programs, or use a smaller model or size"
    if type(error).__name__ == "AcceleratorError":  # torch's: whatever it is, the process is lost for the card
        said = traceback.format_exception_only(error)[-1].strip().partition("\n")[0]
        return "device", f"the card stopped with {said}", "render again; if it stops again, ask rushes doctor"
    # Not str(error): that is the generator's code, and may itself raise.
    said = traceback.format_exception_only(error)[-1].strip()
    return "broken", f"the stage stopped with {said}", "see the log; if it happens again, use another model"


def _sent(text: str) -> str:
    """The end of `text`, without the lone surrogates of odd file names, which JSON cannot carry."""
    return text[-MAX_TEXT:].encode("utf-8", "replace").decode()

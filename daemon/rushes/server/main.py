"""The daemon's process.

    python -P -m rushes.server.main [--tcp]

One for a user: who comes second ends with exit code 2 and the first one's PID. Its log rotates.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Iterator

from rushes.engine.studio import Studio
from rushes.server.daemon import Daemon
from rushes.store.locks import hold
from rushes.store.places import Places, private
from rushes_otio.errors import RushesError
from rushes_otio.text import printable

LOG_BYTES, LOG_FILES = 2 << 20, 3

_M_MMAP_THRESHOLD = -3  # malloc.h

log = logging.getLogger("rushes.server")


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="rushes.server")
    parser.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 instead of sockets in a folder")
    options = parser.parse_args()
    studio = Studio.of_user()
    try:
        with hold(studio.places, "daemon", 0.0, "the daemon is run"):
            _serve(studio, options.tcp)
    except RushesError as error:
        sys.exit(_refusal(error))


def _serve(studio: Studio, use_tcp: bool) -> None:
    with _logging(studio.places):
        try:
            studio.database.check()
            for warning in studio.database.warnings:
                log.warning("%s", printable(warning, 500))
            _use_memory_calmly()
            daemon = Daemon(studio, use_tcp)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: daemon.stop("it was told to end"))
            daemon.run()
        except RushesError as error:
            log.error("%s", printable(_refusal(error), 2000))
            raise
        except Exception:
            log.exception("the daemon failed")
            raise


def _use_memory_calmly() -> None:
    """For films of 10,000 shots: a few hundred thousand objects that stay, and texts of 30 MB that come and go."""
    gc.set_threshold(50_000, 20, 100)
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(AttributeError, OSError):  # musl has no mallopt
            # Else glibc comes to keep what is freed: half a gigabyte after a few edits of such a film (measured).
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)


def _refusal(error: RushesError) -> str:
    return f"{error.text}; {error.remedy}" if error.remedy else error.text


@contextlib.contextmanager
def _logging(places: Places) -> Iterator[None]:
    private(places.state)
    old = os.umask(0o077)
    handler = logging.handlers.RotatingFileHandler(
        places.log, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", errors="replace"
    )
    os.umask(old)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("rushes")
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    root.propagate = False
    with places.log.open("ab", buffering=0) as last_words:
        faulthandler.enable(last_words)
        try:
            yield
        finally:
            faulthandler.disable()
            root.removeHandler(handler)
            handler.close()


if __name__ == "__main__":
    main()

"""Files that a film mentions: pictures, plates, LoRAs. A film may come from a stranger, so it may only name files
below its own folder or below the roots that the user allowed.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rushes.store.digests import FileDigests
from rushes.store.durable import fault_of
from rushes.store.places import FilmPlaces
from rushes_otio.errors import BadRequest, RushesError, ShotFault
from rushes_otio.text import printable, readable_token

_REMOTE = re.compile(r"(\\\\|//|[A-Za-z][A-Za-z0-9+.-]+:(?!/?[A-Za-z]:))")


class MentionedFiles:
    """Finds and digests the files of one film."""

    def __init__(self, film: FilmPlaces, roots: list[str], digests: FileDigests, settings_file: Path) -> None:
        self._film = film
        self._folder = film.film.parent
        self._roots = [self._folder, *(Path(os.path.realpath(r)) for r in roots)]
        self._digests = digests
        self._settings_file = settings_file
        self._known: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        self._looked_for: dict[Path, None] = {}

    def digest(self, path: str, where: str) -> str:
        """sha256 of the file that the film calls `path`; ShotFault when it may not or cannot be read."""
        if path not in self._known:
            try:
                found = self.locate(path, where)
                self._known[path] = self._digests.of(found)
                self._paths[self._known[path]] = found
            except ShotFault:
                raise
            except RushesError as e:
                raise ShotFault(e.text, where=where, remedy=e.remedy or "set the path again") from None
        return self._known[path]

    def holding(self, digest: str) -> Path:
        """A file this film mentions that held `digest` when it was last asked for; ShotFault when none does."""
        found = self._paths.get(digest)
        if found is None:
            raise ShotFault(
                "a picture this take was made from is not mentioned by the film any more",
                remedy="set the picture again, or render the shot anew: --another 1",
            )
        return found

    def looked_for(self) -> list[Path]:
        """Every file that was asked for and may be read, there or not."""
        return list(self._looked_for)

    def locate(self, path: str, where: str) -> Path:
        """The real file behind a film's path (relative to the film's folder, absolute, or a file: URL)."""
        plain = _local(path, where)
        real = Path(os.path.realpath(self._folder / plain))
        if not any(real.is_relative_to(root) for root in self._roots):
            raise ShotFault(
                f"{printable(path, 120)!r} lies outside the film's folder and the allowed roots",
                where=where,
                remedy=f'allow it in {self._settings_file}: roots = ["{real.parent}"]',
            )
        self._looked_for[real] = None
        if not real.is_file():
            raise ShotFault(
                f"there is no file {printable(path, 120)!r}",
                where=where,
                remedy=f"put it at {printable(str(real), 200)}, or set the path again",
            )
        return real

    def adopt(self, path: Path) -> str:
        """How the film is to call a picture that a person gave: a path below its folder as it is, any other file
        copied to `refs` under a readable name.
        """
        real = Path(os.path.realpath(path))
        if not real.is_file():
            raise BadRequest(f"there is no file {path}", remedy="check the path; it is relative to where you are")
        if real.is_relative_to(self._folder):
            return real.relative_to(self._folder).as_posix()
        digest = self._digests.of(real)
        name = f"{readable_token(real.stem) or 'picture'}_{digest[:8]}{real.suffix.lower()}"
        kept = self._film.refs / name
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            if not kept.exists():
                shutil.copyfile(real, kept)
        except OSError as e:
            raise fault_of(e, kept) from None
        return kept.relative_to(self._folder).as_posix()


def _local(path: str, where: str) -> str:
    """A path without its file: scheme; ShotFault for a URL, a network share or a device name."""
    plain = path
    if path.startswith("file:"):
        parts = urlsplit(path)
        plain = unquote(parts.path) if not parts.netloc or parts.netloc == "localhost" else path
    if _REMOTE.match(plain) or "\0" in plain:
        raise ShotFault(
            f"{printable(path, 120)!r} is no file of this machine",
            where=where,
            remedy="copy the file beside the film and set its path",
        )
    return plain

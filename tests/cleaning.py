"""Films with takes that nobody wants, and what cleaning says of them."""

from __future__ import annotations

import time
from pathlib import Path

from rendering import Shoot, shoot
from rushes.engine.cleaning import Cleaning, clean, survey
from rushes.store.takes import scan

SEA = {"prompt": "the sea"}


def later() -> float:
    """A time at which everything that a test has made is old."""
    return time.time() + 3600


def freed(found: Cleaning) -> list[str]:
    return [row.take for row in found.free]


def why(found: Cleaning) -> dict[str, str]:
    return {row.take: row.keep for row in found.kept}


def there(film: Shoot) -> list[str]:
    return [take.take for take in scan(film.desk.places.takes)]


def cleaned(film: Shoot) -> Cleaning:
    return clean(film.desk, survey(film.desk, later()))


def files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def with_takes(folder: Path, variations: int) -> Shoot:
    """A film of one shot: t001 is chosen, and there are variations that nobody wants."""
    film = shoot(folder, SEA)
    film.render()
    film.render("SH010", another=variations)
    return film

"""Where everything that a command needs is put together: the user's places, settings, database, cache, registry.

Nothing is opened before it is used, so that `status` on a small film pays for nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.engine.plan import Plan, plan
from rushes.engine.recipe import Sources
from rushes.generators.registry import Registry
from rushes.store import films
from rushes.store.db import Database
from rushes.store.digests import FileDigests
from rushes.store.jobs import Jobs
from rushes.store.mentioned import MentionedFiles
from rushes.store.places import FilmPlaces, Places, private
from rushes.store.settings import Settings, read_settings
from rushes_otio.errors import RushesError
from rushes_otio.film import Film

if TYPE_CHECKING:
    from rushes.generators.weights import Weights
    from rushes.store.cache import StageCache
    from rushes.store.changes import Changes
    from rushes.store.shelf import Shelf
    from rushes.store.switches import Switches
    from rushes.store.timings import Timings


class Studio:
    """The user's side of the engine. One for a process."""

    def __init__(self, places: Places) -> None:
        self.places = places

    @classmethod
    def of_user(cls) -> Studio:
        return cls(Places.of_user())

    @cached_property
    def settings(self) -> Settings:
        found = read_settings(self.places.settings)
        if found.ffmpeg:
            os.environ.setdefault("RUSHES_FFMPEG", found.ffmpeg)  # worker processes inherit it
        return found

    @cached_property
    def registry(self) -> Registry:
        return Registry.read(self.places.models, self.weights)

    @cached_property
    def weights(self) -> Weights:
        from rushes.generators.weights import Weights

        return Weights(FileDigests(self.database), None)

    @cached_property
    def database(self) -> Database:
        return Database(private(self.places.state) / self.places.database.name)

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self.database)

    @cached_property
    def changes(self) -> Changes:
        from rushes.store.changes import Changes

        return Changes(self.database)

    @cached_property
    def switches(self) -> Switches:
        from rushes.store.switches import Switches

        return Switches(self.database)

    @cached_property
    def timings(self) -> Timings:
        from rushes.store.timings import Timings

        return Timings(self.database)

    @cached_property
    def cache(self) -> StageCache:
        from rushes.store.cache import StageCache

        return StageCache(private(self.places.cache), self.settings.cache_gib * 1024**3)

    def reload(self) -> list[RushesError]:
        """Read the settings and the registry anew. One that cannot be read stays as it was; those faults."""
        faults: list[RushesError] = []
        for name in ("settings", "registry"):
            before = self.__dict__.pop(name, None)
            try:
                getattr(self, name)
            except RushesError as fault:
                faults.append(fault)
                if before is not None:
                    self.__dict__[name] = before
        return faults

    def desk(self, path: Path) -> Desk:
        """Everything about one film."""
        return Desk(self, FilmPlaces.of(path))


class Desk:
    """One film on the user's desk."""

    def __init__(self, studio: Studio, places: FilmPlaces) -> None:
        self.studio = studio
        self.places = places
        self.here = Path()  # what paths that a person types are relative to

    @cached_property
    def files(self) -> MentionedFiles:
        studio = self.studio
        return MentionedFiles(
            self.places, studio.settings.roots, FileDigests(studio.database), studio.places.settings
        )

    @property
    def sources(self) -> Sources:
        return Sources(self.studio.registry, self.files)

    def read(self) -> Film:
        return films.read_film(self.places.film)

    def plan(self, film: Film) -> Plan:
        return plan(film, self.sources)

    @contextmanager
    def changing(self) -> Iterator[Film]:
        """The film, to be changed; saved at the end of the block."""
        with films.changing(self.studio.places, self.places.film) as film:
            yield film

    def shelf(self) -> Shelf:
        from rushes.store.index import TakeIndex
        from rushes.store.shelf import Shelf

        return Shelf(self.places, TakeIndex(self.studio.database))

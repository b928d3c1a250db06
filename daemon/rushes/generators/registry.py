"""The user's registry of models. A film names a model; only this registry says what that is.

`models.toml` in the user's configuration:

    [models.wan]
    generator = "diffusers"
    quality = "final"

The animatic needs no entry. It is used when it is named, or when no other model is registered.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path

import msgspec

from rushes.generators.traits import ANIMATIC, BUILT_IN, Traits
from rushes.store.canonical import digest_of
from rushes_otio.errors import FileFault, ShotFault

QUALITIES = ("draft", "final")

Recorded = dict[str, object]
"""The model of a recipe: {"asked": name, quality or None, "name": …, "fingerprint": …}."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One registered model."""

    generator: str
    quality: str = ""  # "draft", "final", or neither

    @property
    def traits(self) -> Traits | None:
        """What its generator is; None while that generator is not installed."""
        return BUILT_IN.get(self.generator)

    @property
    def fingerprint(self) -> str | None:
        """Digest of everything of the model that changes pixels; None while it is not installed."""
        traits = self.traits
        return _fingerprint(traits.name, traits.version) if traits else None


@cache
def _fingerprint(generator: str, version: int) -> str:
    return digest_of({"generator": generator, "version": version})


class _File(msgspec.Struct, forbid_unknown_fields=True):
    models: dict[str, Model] = {}


class Registry:
    """Registered models by name; the animatic is always among them."""

    def __init__(self, models: dict[str, Model]) -> None:
        self.models = {ANIMATIC.name: Model(ANIMATIC.name), **models}

    @classmethod
    def read(cls, path: Path) -> Registry:
        """The registry in `path`; only the animatic when there is no such file."""
        try:
            return cls(msgspec.toml.decode(path.read_bytes(), type=_File).models)
        except FileNotFoundError:
            return cls({})
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise FileFault(
                f"the registry of models cannot be read: {e}",
                where=str(path),
                remedy='correct it; an entry looks like [models.wan] with generator = "diffusers"',
            ) from None

    def route(self, asked: str | None, recorded: Recorded | None, where: str) -> Recorded:
        """The model for a shot that asked for `asked`. While that is what the accepted recipe was asked, the
        recorded model stands, with today's fingerprint where it is installed. ShotFault for an unknown name.
        """
        if recorded is not None and recorded.get("asked") == asked:
            model = self.models.get(str(recorded.get("name")))
            fingerprint = model.fingerprint if model else None
            return recorded if fingerprint is None else {**recorded, "fingerprint": fingerprint}
        name = self._pick(asked, where)
        return {"asked": asked, "name": name, "fingerprint": self.models[name].fingerprint or ""}

    def _pick(self, asked: str | None, where: str) -> str:
        if asked is None or asked in QUALITIES:
            others = [n for n, m in self.models.items() if n != ANIMATIC.name]
            fitting = [n for n in others if asked is None or self.models[n].quality == asked] or others
            return fitting[0] if fitting else ANIMATIC.name
        if asked in self.models:
            return asked
        close = get_close_matches(asked, [*self.models, *QUALITIES], n=3, cutoff=0.5)
        raise ShotFault(
            f"no model called {asked!r} is registered here",
            where=where,
            remedy=f"use {' or '.join(close or self.models)}; rushes models list shows them all",
        )

    def traits(self, name: str) -> Traits:
        """The traits of a model's generator; ShotFault when the generator is not installed."""
        model = self.models.get(name)
        traits = model.traits if model else None
        if traits is None:
            generator = model.generator if model else "its generator"
            raise ShotFault(
                f"the model {name!r} cannot run here: {generator} is not installed",
                remedy="set another model, for example model=animatic",
            )
        return traits

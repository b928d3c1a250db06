"""The user's registry of models, `models.toml` in the user's configuration. A film names a model; only this
registry says what that is (`models`), where it lies (`weights`), and which of them makes a shot (`routing`).

The animatic needs no entry. It is used when it is named, or when no other model is registered.
"""

from __future__ import annotations

import time
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rushes.generators.cards import Card
from rushes.generators.models import QUALITIES, Model, Quality
from rushes.generators.traits import ANIMATIC, Traits
from rushes.store.canonical import digest_of
from rushes_otio.errors import FileFault, ShotFault

if TYPE_CHECKING:  # whoever only looks at a film that is drawn does not wait for it
    from rushes.generators.weights import Located, Weights

TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3", "tokenizer", "tokenizer_2", "tokenizer_3")
"""Components of a model that have to do with words only."""

_LOOK_AGAIN_S = 10.0


class _File(msgspec.Struct, forbid_unknown_fields=True):
    models: dict[str, Model] = {}


class Registry:
    """Registered models by name; the animatic is always among them."""

    def __init__(self, models: dict[str, Model], weights: Weights | None = None) -> None:
        self.models = {ANIMATIC.name: Model(ANIMATIC.name), **models}
        self._weights = weights
        self._located: dict[str, Located | None] = {}
        self._fingerprints: dict[tuple[str, Quality], str | None] = {}
        self._looks, self._looked_at = 0, 0.0

    @classmethod
    def read(cls, path: Path, weights: Weights | None = None) -> Registry:
        """The registry in `path`; only the animatic when there is no such file."""
        try:
            return cls(msgspec.toml.decode(path.read_bytes(), type=_File).models, weights)
        except FileNotFoundError:
            return cls({})
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise FileFault(
                f"the registry of models cannot be read: {e}",
                where=str(path),
                remedy='correct it; an entry looks like [models.wan] with generator = "diffusers"',
            ) from None

    @property
    def has_weights(self) -> bool:
        """Whether any model is registered that needs a generator with weights."""
        return any(model.traits is not None and model.traits.models for model in self.models.values())

    def get(self, name: str) -> Model | None:
        return self.models.get(name)

    def known(self, name: str, where: str) -> Model:
        """The model of this name; ShotFault, with close names, where there is none."""
        if name in self.models:
            return self.models[name]
        close = get_close_matches(name, [*self.models, *QUALITIES], n=3, cutoff=0.5)
        raise ShotFault(
            f"no model called {name!r} is registered here",
            where=where,
            remedy=f"use {' or '.join(close or self.models)}; rushes models list shows them all",
        )

    def traits(self, name: str) -> Traits:
        """The traits of a model's generator; ShotFault when this Rushes has no such generator."""
        model = self.models.get(name)
        if model is None:
            raise ShotFault(
                f"the model {name!r}, which the shot was rendered with, is not registered here",
                remedy="register it: rushes models add; or render the shot with another: --model NAME",
            )
        if model.traits is None:
            raise ShotFault(
                f"the model {name!r} cannot run here: {model.generator} is not installed",
                remedy="set another model, for example model=animatic",
            )
        return model.traits

    def located(self, name: str) -> Located | None:
        """Where the weights of a model are; None where they are not on this machine."""
        self.look()
        if name not in self._located:
            model = self.models[name]
            self._located[name] = self._weights.locate(model) if self._weights and model.source else None
        return self._located[name]

    def look(self) -> int:
        """Have weights looked at anew, now and then: they can be replaced while a daemon runs. Counts up with
        that: what was worked out from them stands as long as this is the same."""
        now = time.monotonic()
        if not self._looks or now - self._looked_at > _LOOK_AGAIN_S:
            self._looks, self._looked_at = self._looks + 1, now
            self._located, self._fingerprints = {}, {}
        return self._looks

    def fault(self, name: str) -> str:
        """Why a registered model cannot be used on this machine, whatever a shot needs; empty when it can."""
        model = self.models[name]
        if model.traits is None:
            return f"{model.generator} is not installed"
        if not model.traits.models:
            return ""
        if not model.accepted:
            return f"its licence ({model.licence}) was not accepted: rushes models accept {name}"
        if self.located(name) is None:
            fault = self._weights.fault(model) if self._weights else None
            return fault.text if fault else "its weights are not on this machine"
        return ""

    def fingerprint(self, name: str, quality: Quality) -> str | None:
        """Digest of everything of the model that changes a shot, with how it is run for that quality; None while
        that is not known on this machine."""
        self.look()
        if (name, quality) not in self._fingerprints:
            self._fingerprints[name, quality] = self._fingerprint(name, quality)
        return self._fingerprints[name, quality]

    def _fingerprint(self, name: str, quality: Quality) -> str | None:
        model = self.models.get(name)
        if model is None or model.traits is None:
            return None
        if not model.traits.models:
            return digest_of({"generator": model.traits.name, "version": model.traits.version})
        located = self.located(name)
        if located is None:
            return None
        profile = msgspec.to_builtins(model.profile(quality))
        entry = {"words": model.words, "negative": model.negative, "rate": model.rate, "profile": profile}
        return digest_of({"card": _fingerprint(model, model.traits, located), **entry})

    def card(self, name: str) -> Card:
        """The model, located, for a stage. ShotFault where it cannot be used on this machine."""
        model, traits = self.known(name, ""), self.traits(name)
        self._located.pop(name, None)  # what is run is what lies there now, whatever was planned
        located, fault = self.located(name), self.fault(name)
        if located is None or fault:
            raise ShotFault(
                f"the model {name!r} cannot run here: {fault or 'it has no weights'}",
                remedy="rushes models check shows what is missing; or set another model",
            )
        return Card(
            name=name,
            fingerprint=_fingerprint(model, traits, located),
            folder=str(located.folder),
            pipeline=model.pipeline,
            dtype=model.dtype,
            working_mib=model.working_mib,
            options={str(name): value for name, value in model.options.items()},
            adapter=str(Path(model.adapter).expanduser().absolute()) if model.adapter else "",
        )

    def words_fingerprint(self, name: str) -> str:
        """Digest of what turns words into numbers: text encoders, tokenizers, and how they are run."""
        model, traits, located = self.known(name, ""), self.traits(name), self.located(name)
        encoders = located.of(TEXT) if located else ""
        return digest_of(
            {"version": traits.version, "encoders": encoders, "pipeline": model.pipeline, "dtype": model.dtype}
        )


def _fingerprint(model: Model, traits: Traits, located: Located) -> str:
    return digest_of(
        {
            "generator": traits.name,
            "version": traits.version,
            "weights": located.fingerprint(),
            "pipeline": model.pipeline,
            "dtype": model.dtype,
            "options": {str(name): value for name, value in model.options.items()},
        }
    )

"""Real exports of other programs: made into films, exported in every format, and conformed back."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rushes.engine.conforming import conform
from rushes.engine.newfilm import create_film
from rushes.engine.studio import Studio
from rushes.export.exporting import Wanted, export_film
from rushes_otio.film import Film

SAMPLES = """
avid/simple.aaf edl/079_HA_006.edl edl/dissolve_test.edl edl/screening_example.edl edl/speed_effects_small.edl
otio/ElFuente_4096x2160_60fps_10bit_420_remix1.otio otio/big_int.otio otio/nested_example.otio
otio/premiere_example.marker3_too_new.otio premiere/premiere_enable_property.xml premiere/premiere_example.xml
premiere/premiere_generators.xml resolve/ayon_img_seq_2x_speed_resolve.clip.otio
resolve/ayon_img_seq_with_handles.clip.otio resolve/ayon_movie_with_handles.clip.otio
resolve/ayon_qt_embedded_tc.clip.otio resolve/effects.resolve_native.otio
""".split()

WAYS = {
    "out.otio": Wanted(),
    "resolve.otio": Wanted("resolve"),
    "out.edl": Wanted(),
    "premiere.edl": Wanted("premiere"),
    "out.xml": Wanted(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_cut_goes_through_every_format(samples: Path, tmp_path: Path, name: str) -> None:
    if name.endswith(".aaf") and importlib.util.find_spec("otio_aaf_adapter") is None:
        pytest.skip("the extra `aaf` is not installed")
    path = film_of(samples / name, tmp_path / "film.otio")
    desk = Studio.of_user().desk(path)
    nested = count(path, "Stack") > 1  # which an XML is sent without, and EDLs have one track
    for out, wanted in WAYS.items():
        export_film(desk, tmp_path / out, lambda done, total: None, wanted)
        trial = tmp_path / f"trial_{out.replace('.', '_')}.otio"
        result = conform(desk, tmp_path / out, trial, accept=False)
        assert result["new"] == result["omitted"] == result["matched"] == []
        if out == "out.otio" or (out == "out.xml" and not nested):
            assert count(trial, "Clip") == count(path, "Clip")
            assert result["proposed"] == []


def film_of(source: Path, path: Path) -> Path:
    """A film of a cut, with small pictures: there are many slates to be made."""
    create_film(path, source, "24/1")
    film = Film(path.read_bytes(), str(path))
    film.patch_block(intent={"delivery": {"size": "64x36"}})
    path.write_bytes(film.encode())
    return path


def count(path: Path, schema: str) -> int:
    return path.read_text().count(f'"OTIO_SCHEMA": "{schema}.')

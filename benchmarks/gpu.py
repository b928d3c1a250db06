"""Generation on a GPU: `python -m benchmarks.gpu [--model 1.3b|14b] [--size 832x480] [--frames 81]`.

Models of real size with random weights, written once to a scratch folder (3 GB and 29 GB; 11 GB more with
--text-encoder). Prints a table, and writes benchmarks/results/gpu.json. `--tiny` is for trying the script itself
on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

RESULT = Path(__file__).parent / "results" / "gpu.json"


def main() -> None:
    """Measure every model at every size."""
    asked = _asked()
    if asked.tiny:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        import diffusers  # noqa: F401
        import torch
    except ImportError as error:
        sys.exit(f"{error.name} is not installed: pip install 'rushes[diffusers]'")
    if not asked.tiny and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} sees no GPU here; --tiny tries the script on the processor")
    scratch = Path(asked.scratch or tempfile.mkdtemp(prefix="rushes-gpu-"))
    scratch.mkdir(parents=True, exist_ok=True)
    print(f"models and shots in {scratch}")
    _measure(asked, scratch)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__)
    parser.add_argument("--model", action="append", choices=("1.3b", "14b"), help="both, if not given")
    parser.add_argument("--size", action="append", help="WIDTHxHEIGHT; 832x480 and 1280x720, if not given")
    parser.add_argument("--frames", type=int, default=81, help="4n + 1")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--shots", type=int, default=3, help="how many are timed; the quickest counts")
    parser.add_argument("--scratch", default="", help="a folder that keeps the models for the next run")
    parser.add_argument("--text-encoder", action="store_true", help="measure one of the size of UMT5-XXL too")
    parser.add_argument("--no-ladder", action="store_true", help="leave the slow rungs out")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, also without a GPU")
    return parser.parse_args()


def _measure(asked: argparse.Namespace, scratch: Path) -> None:
    # Imported late: they import torch, which the messages above are about.
    from benchmarks.gpurows import machine, rows, subject_of

    models = ["tiny"] if asked.tiny else asked.model or ["1.3b", "14b"]
    sizes = asked.size or (["64x64"] if asked.tiny else ["832x480", "1280x720"])
    frames = 9 if asked.tiny else asked.frames
    found = []
    for model in models:
        for size in sizes:
            named = f"{model} {size}x{frames}, {asked.steps} steps"
            print(f"\n{named}")
            subject = subject_of(model, size, frames, asked, scratch)
            for row in rows(subject, ladder=not asked.no_ladder, words=asked.text_encoder):
                print(
                    f"  {row.name:<58} {row.value:>9.3f} {row.unit:<4} {row.verdict:<7} {row.detail}", flush=True
                )
                found.append({"of": named, **asdict(row), "verdict": row.verdict})
            if not asked.tiny:
                RESULT.parent.mkdir(exist_ok=True)
                RESULT.write_text(
                    json.dumps({"machine": machine(), "rows": found}, indent=1) + "\n", encoding="utf-8"
                )


if __name__ == "__main__":
    main()

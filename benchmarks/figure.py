"""Draws results.json: `python -m benchmarks.figure FOLDER`, in an environment of its own."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.summary import TITLES

COLORS = {"stock": "#9aa5b1", "agents": "#5b7c99", "ours": "#e4572e", "bare": "#d9dee3"}
PANELS = (
    ("cpu_ms_8", "CPU per turn", "ms, 8 conversations"),
    ("turns_per_s_32", "Turns per second", "32 conversations, one process"),
    ("real_p50_ms", "Time of a turn", "ms, with real delays, p50"),
    ("cold_start_s", "Cold start", "s, to the first reply"),
)


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write figure.svg and figure.png."""
    plt.rcParams.update({"font.size": 10, "svg.hashsalt": "benchmarks", "svg.fonttype": "none"})
    figure, axes = plt.subplots(1, len(PANELS), figsize=(12, 2.6), layout="constrained")
    stacks = [stack for stack in TITLES if stack in results["medians"]]
    for panel, (name, title, unit) in zip(axes, PANELS, strict=True):
        _bars(panel, stacks, [results["medians"][stack][name] for stack in stacks])
        panel.set_title(title, fontweight="bold", loc="left")
        panel.set_xlabel(unit, loc="left")
    axes[0].set_yticks(range(len(stacks)), [TITLES[stack] for stack in stacks])
    for suffix in ("svg", "png"):
        # Without the date, equal results make equal files.
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(folder / f"figure.{suffix}", dpi=150, metadata=metadata, facecolor="white")


def _bars(panel: Axes, stacks: list[str], values: list[float]) -> None:
    bars = panel.barh(range(len(stacks)), values, color=[COLORS[stack] for stack in stacks])
    panel.bar_label(bars, [_three_digits(value) for value in values], padding=3)
    panel.set_xlim(0, max(values) * 1.25)
    panel.invert_yaxis()
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[["top", "right", "bottom"]].set_visible(False)


def _three_digits(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    draw(json.loads((target / "results.json").read_text()), target)

#!/usr/bin/python3
"""Phase times for growing subgroup sizes, drawn with seaborn: subgroup.py DIR OUT [mean]"""
import re
import sys
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

plt.switch_backend("Agg")
NAME = re.compile(r"log-([^-]+)-.*-subg(\d+)")
TIMES = re.compile(r"\| fwd: ([\d.]+) \| bwd: ([\d.]+) .*\| step: ([\d.]+)")
PHASES = ["Forward", "Backward", "Update"]
COLORS = [sns.color_palette("colorblind")[i] for i in (2, 4, 0)]


def times(log, mean):
    """Seconds of the third iteration, or the means of all but the first."""
    with open(log, errors="replace") as lines:
        matches = filter(None, map(TIMES.search, lines))
        asked = islice(matches, 1, None) if mean else islice(matches, 2, 3)
        return np.mean([[float(ms) / 1000 for ms in match.groups()] for match in asked], axis=0)


def size(n):
    return f"{n / 1e9:g}B" if n >= 1e9 else f"{n / 1e6:g}M"


def read(folder, mean):
    rows = []
    for log in Path(folder).glob("log-*.log"):
        model, subg = NAME.match(log.name).groups()
        rows.append([model, int(subg), *times(log, mean)])
    return pd.DataFrame(rows, columns=["model", "subg", *PHASES]).sort_values("subg")


def draw(runs):
    sns.set_theme("paper", "ticks", font="DejaVu Sans", font_scale=1.15, rc={
        "font.size": 10, "font.weight": "bold", "axes.labelweight": "bold", "axes.edgecolor": "black",
        "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.18, right=.99, bottom=.16, top=.9)
    labels, left = runs["subg"].map(size), 0
    for phase, color in zip(PHASES, COLORS):
        bars = ax.barh(labels, runs[phase], left=left, height=.72, color=color, linewidth=0, label=phase)
        ax.bar_label(bars, fmt="%.2f", label_type="center", color="white", fontsize=9)
        left = left + runs[phase]
    ax.set(xlabel="Phase times (s)", ylabel="Subgroup size", xlim=(0, left.max() * 1.04))
    ax.legend(loc="lower center", bbox_to_anchor=(.5, .98), ncol=3, frameon=False, handlelength=.7)
    return fig


if __name__ == "__main__":
    folder, out, *mean = sys.argv[1:]
    fig = draw(read(folder, mean))
    for suffix in "png", "eps":
        fig.savefig(f"{out}/subgroup.{suffix}", dpi=300)

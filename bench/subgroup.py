#!/usr/bin/python3
"""Phase times of one iteration for growing subgroup sizes, drawn with seaborn: subgroup.py DIR OUT"""
import re
import sys
from itertools import islice
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

NAME = re.compile(r"log-([^-]+)-.*-subg(\d+)")
TIMES = re.compile(r"\| fwd: ([\d.]+) \| bwd: ([\d.]+) .*\| step: ([\d.]+)")
PHASES = ["Forward", "Backward", "Update"]
COLORS = [sns.color_palette("colorblind")[i] for i in (2, 4, 0)]


def third_iteration(log):
    with open(log, errors="replace") as lines:
        matches = filter(None, map(TIMES.search, lines))
        return [float(ms) / 1000 for ms in next(islice(matches, 2, None)).groups()]


def size(n):
    return f"{n / 1e9:g}B" if n >= 1e9 else f"{n / 1e6:g}M"


def read(folder):
    rows = []
    for log in Path(folder).glob("log-*.log"):
        model, subg = NAME.match(log.name).groups()
        rows.append([model, int(subg), *third_iteration(log)])
    return pd.DataFrame(rows, columns=["model", "subg", *PHASES]).sort_values("subg")


def draw(runs):
    sns.set_theme(style="ticks", font="DejaVu Sans", rc={
        "font.size": 10, "font.weight": "bold", "axes.labelsize": 11, "axes.labelweight": "bold",
        "axes.edgecolor": "black", "xtick.labelsize": 10, "ytick.labelsize": 10, "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.16, right=.99, bottom=.16, top=.9)
    labels, left = runs["subg"].map(size), 0
    for phase, color in zip(PHASES, COLORS):
        bars = ax.barh(labels, runs[phase], left=left, height=.72, color=color, linewidth=0, label=phase)
        ax.bar_label(bars, fmt="%.2f", label_type="center", color="white", fontsize=9)
        left = left + runs[phase]
    ax.set(xlabel="Iteration time (s)", ylabel="Subgroup size", xlim=(0, left.max() * 1.04))
    ax.legend(loc="lower center", bbox_to_anchor=(.5, .98), ncol=3, frameon=False, columnspacing=1.2)
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    runs = read(folder)
    fig = draw(runs)
    for suffix in "png", "eps":
        fig.savefig(Path(out) / f"{runs['model'].iloc[0]}-subgroup.{suffix}", dpi=300)

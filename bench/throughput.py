#!/usr/bin/python3
"""Update throughput by stride and data-parallel degree, drawn with seaborn: throughput.py DIR OUT"""
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

plt.switch_backend("Agg")
STEP = re.compile(r"\| fwd: .*\| step: ([\d.]+)")


def mean_update(log):
    """Seconds, over all iterations but the first; not a number where the run failed before."""
    with open(log, errors="replace") as lines:
        seconds = [float(match[1]) / 1000 for match in map(STEP.search, lines) if match]
    return np.mean(seconds[1:]) if len(seconds) > 1 else np.nan


def read(folder):
    rows = []
    for log in Path(folder).glob("log-*.log"):
        run = {key: float(value) for key, value in re.findall(r"-([a-z_]+)([\d.]+)(?=-|\.log)", log.name)}
        if run["gbs"] == run["mbs"] * run["dp"] and run["prefetch"] == run["flush_async"]:
            stride = f"1/{run['opt_gaps']:g}" if run["prefetch"] else "ZeRO-3"
            billions = float(log.name.split("-")[1].rstrip("B"))
            rows.append([run["dp"], run["prefetch"] * run["opt_gaps"], stride, billions / mean_update(log)])
    return pd.DataFrame(rows, columns=["dp", "order", "stride", "throughput"]).sort_values(["dp", "order"])


def draw(runs):
    sns.set_theme("paper", "ticks", font="DejaVu Sans", font_scale=1.15, rc={
        "font.size": 10, "font.weight": "bold", "axes.labelweight": "bold", "axes.edgecolor": "black",
        "xtick.bottom": False, "xtick.major.pad": 0, "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.12, right=.98, bottom=.36, top=.98)
    group = pd.factorize(runs["dp"])[0]
    x = np.arange(len(runs)) + group
    bars = ax.bar(x, runs["throughput"].fillna(0), .9, color="#0173B2", linewidth=0)
    ax.bar_label(bars, [f"{height:.1f}" if height > 0 else "" for height in runs["throughput"]], rotation=90, padding=2)
    for failed in x[runs["throughput"].isna()]:
        ax.text(failed, .1, "failed", color="#D40000", rotation=90, ha="center")
    for g, dp in enumerate(runs["dp"].unique()):
        left, right = x[group == g].min() - .4, x[group == g].max() + .4
        below = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot([left, right], [-.33, -.33], color="black", linewidth=1, **below)
        ax.text((left + right) / 2, -.35, f"DP = {dp:g}", ha="center", va="top", **below)
    ax.set_xticks(x, runs["stride"], rotation=90)
    ax.xaxis.set_label_coords(.5, -.5)
    ax.set(xlabel="Share updated on the GPU, by data-parallel degree", ylabel="Billion params/s",
           ylim=(0, runs["throughput"].max() * 1.3))
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    fig = draw(read(folder))
    for suffix in "png", "eps":
        fig.savefig(f"{out}/throughput.{suffix}", dpi=300)

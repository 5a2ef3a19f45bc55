#!/usr/bin/python3
"""Update throughput for each update interval and data-parallel degree, drawn with seaborn: throughput.py DIR OUT"""
import re
import sys
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

TIMES = re.compile(r"\| fwd: ([\d.]+) \| bwd: ([\d.]+) .*\| step: ([\d.]+)")
RED = "#D40000"


def mean_update(log):
    """Seconds, over all iterations but the first; not a number where the run failed before."""
    with open(log, errors="replace") as lines:
        seconds = [float(match[3]) / 1000 for match in map(TIMES.search, lines) if match]
    return np.mean(seconds[1:]) if len(seconds) > 1 else np.nan


def read(folder):
    rows = []
    for log in Path(folder).glob("log-*.log"):
        run = {key: float(value) for key, value in re.findall(r"-([a-z_]+)([\d.]+)(?=-|\.log)", log.name)}
        backward_only = run["prefetch"] == 0 and run.get("flush_async", 0) == 1
        if run["gbs"] == run["mbs"] * run["dp"] and not backward_only:
            model = log.name.split("-")[1]
            rows.append([model, int(run["dp"]), int(run["opt_gaps"]), float(model.rstrip("B")) / mean_update(log)])
    return pd.DataFrame(rows, columns=["model", "dp", "interval", "throughput"]).sort_values(["interval", "dp"])


def draw(runs):
    sns.set_theme(style="ticks", font="DejaVu Sans", rc={
        "font.size": 7, "font.weight": "bold", "axes.labelsize": 11, "axes.labelweight": "bold",
        "axes.edgecolor": "black", "xtick.labelsize": 10, "ytick.labelsize": 10, "legend.fontsize": 7,
        "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.11, right=.99, bottom=.16, top=.8)
    hue = runs["interval"].map(lambda k: f"1/{k} on the GPU" if k else "ZeRO-3")
    sns.barplot(x=runs["dp"], y=runs["throughput"], hue=hue, palette="colorblind", saturation=1, errorbar=None,
                linewidth=0, ax=ax)
    for bars in ax.containers:
        ax.bar_label(bars, [f"{bar.get_height():.1f}" if bar.get_height() > 0 else "" for bar in bars], padding=1)
        for bar in bars:
            if not bar.get_height() > 0:
                ax.text(bar.get_x() + bar.get_width() / 2, .05, "failed", color=RED, rotation=90, ha="center")
    ax.set(xlabel="Data-parallel degree", ylabel="B params / s", ylim=(0, runs["throughput"].max() * 1.1))
    ax.legend(loc="lower center", bbox_to_anchor=(.5, 1), ncol=4, frameon=False, columnspacing=1, handlelength=1)
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    runs = read(folder)
    fig = draw(runs)
    for suffix in "png", "eps":
        fig.savefig(Path(out) / f"{runs['model'].iloc[0]}-throughput.{suffix}", dpi=300)

#!/usr/bin/python3
"""PCIe rates and GPU utilization in the third update, by approach, drawn with seaborn: utilization.py DIR OUT"""
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

plt.switch_backend("Agg")
TIMER = re.compile(r"<<<TIMER:step_(start|end),(\d+)>>>")
APPROACHES = {"00": "ZeRO-3", "01": "BW-only", "11": "DOS"}
RED = "#D40000"


def third_update(log, ranks):
    """The earliest start and the latest end over the ranks."""
    stamps = {"start": [], "end": []}
    with open(log, errors="replace") as lines:
        for line in lines:
            for kind, stamp in TIMER.findall(line):
                stamps[kind].append(int(stamp))
            if len(stamps["end"]) == 3 * ranks:
                break
    return min(stamps["start"][2 * ranks:3 * ranks]), max(stamps["end"][2 * ranks:3 * ranks])


def read(folder):
    rows = {}
    for monitor in Path(folder).glob("log-*-ratio1.0-*-monitor.csv"):
        run = dict(re.findall(r"-([a-z_]+)([\d.]+)(?=-)", monitor.name))
        log = monitor.with_name(monitor.name.replace("-monitor.csv", ".log"))
        window = third_update(log, int(run["tp"]) * int(run["dp"]))
        samples = pd.read_csv(monitor, usecols=["timestamp", "txpci", "rxpci", "gpu_util"])
        rows[APPROACHES[run["prefetch"] + run["flush_async"]]] = samples[samples["timestamp"].between(*window)].mean()
    return pd.DataFrame(rows).T.loc[list(APPROACHES.values())]


def draw(runs):
    sns.set_theme("paper", "ticks", font="DejaVu Sans", font_scale=1.15, rc={
        "font.size": 10, "font.weight": "bold", "axes.labelweight": "bold", "axes.edgecolor": "black",
        "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.11, right=.87, bottom=.16, top=.9)
    right, x = ax.twinx(), np.arange(len(runs))
    series = [ax.bar(x - .27, runs["txpci"] / 1024, .27, color="#DE8F05", linewidth=0, label="D2H"),
              ax.bar(x, runs["rxpci"] / 1024, .27, color="#56B4E9", linewidth=0, label="H2D"),
              right.bar(x + .27, runs["gpu_util"], .27, color=RED, linewidth=0, label="GPU")]
    for bars, axis, fmt in zip(series, (ax, ax, right), ("%.2g", "%.3g", "%.0f")):
        axis.bar_label(bars, fmt=fmt, rotation=90, padding=2)
    ax.set(xlabel="Approach", ylabel="PCIe (GB/s)", ylim=(0, runs[["txpci", "rxpci"]].max().max() / 1024 * 1.25))
    ax.set_xticks(x, runs.index)
    right.set(ylim=(0, 119))
    right.set_ylabel("GPU use (%)", color=RED)
    right.tick_params(axis="y", colors=RED)
    ax.legend(handles=series, loc="lower center", bbox_to_anchor=(.5, .98), ncol=3, frameon=False, handlelength=.7)
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    fig = draw(read(folder))
    for suffix in "png", "eps":
        fig.savefig(f"{out}/utilization.{suffix}", dpi=300)

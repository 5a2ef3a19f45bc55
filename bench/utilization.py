#!/usr/bin/python3
"""PCIe rates and GPU utilization during the third update, by approach, drawn with seaborn: utilization.py DIR OUT"""
import re
import sys
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

TIMER = re.compile(r"<<<TIMER:step_(start|end),(\d+)>>>")
APPROACHES = {"00": "ZeRO-3", "01": "Backward only", "11": "Deep Optimizer States"}
COLORS = [sns.color_palette("colorblind")[i] for i in (0, 1)]
GREEN = sns.color_palette("colorblind")[2]


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
    rows = []
    for monitor in Path(folder).glob("log-*-ratio1.0-*-monitor.csv"):
        run = dict(re.findall(r"-([a-z_]+)([\d.]+)(?=-)", monitor.name))
        log = monitor.with_name(monitor.name.replace("-monitor.csv", ".log"))
        window = third_update(log, int(run["tp"]) * int(run["dp"]))
        samples = pd.read_csv(monitor, usecols=["timestamp", "txpci", "rxpci", "gpu_util"])
        means = samples[samples["timestamp"].between(*window)].mean()
        rows.append([monitor.name.split("-")[1], APPROACHES[run["prefetch"] + run["flush_async"]],
                     means["txpci"] / 1024, means["rxpci"] / 1024, means["gpu_util"]])
    return pd.DataFrame(rows, columns=["model", "approach", "Device to host", "Host to device", "GPU"]) \
        .set_index("approach").loc[list(APPROACHES.values())]


def draw(runs):
    sns.set_theme(style="ticks", font="DejaVu Sans", rc={
        "font.size": 9, "font.weight": "bold", "axes.labelsize": 11, "axes.labelweight": "bold",
        "axes.edgecolor": "black", "xtick.labelsize": 9, "ytick.labelsize": 10, "legend.fontsize": 9,
        "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.11, right=.87, bottom=.15, top=.9)
    right, x = ax.twinx(), np.arange(len(runs))
    for offset, column, color, axis in (-.27, "Device to host", COLORS[0], ax), (0, "Host to device", COLORS[1], ax), \
            (.27, "GPU", GREEN, right):
        bars = axis.bar(x + offset, runs[column], .25, color=color, linewidth=0, label=column)
        axis.bar_label(bars, fmt="%.0f" if axis is right else "%.1f", padding=1)
    ax.set(ylabel="PCIe rate (GB/s)", ylim=(0, runs[["Device to host", "Host to device"]].max().max() * 1.2))
    ax.set_xticks(x, runs.index.str.replace(" S", "\nS"))
    right.set_ylim(0, 120)
    right.set_ylabel("GPU utilization (%)", color=GREEN)
    right.tick_params(axis="y", colors=GREEN)
    handles = ax.containers + right.containers
    ax.legend(handles, [bars.get_label() for bars in handles], loc="lower center", bbox_to_anchor=(.5, .98), ncol=3,
              frameon=False)
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    runs = read(folder)
    fig = draw(runs)
    for suffix in "png", "eps":
        fig.savefig(Path(out) / f"{runs['model'].iloc[0]}-utilization.{suffix}", dpi=300)

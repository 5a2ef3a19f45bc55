#!/usr/bin/python3
"""Iteration time by phase for groups of runs, and their TFLOPs, drawn with seaborn: breakdown.py DIR... OUT"""
import argparse
import re
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

TIMES = re.compile(r"\| fwd: ([\d.]+) \| bwd: ([\d.]+) .*\| step: ([\d.]+)")
ITERATION = re.compile(r"elapsed time per iteration \(ms\): ([\d.]+).* TFLOPs: ([\d.]+)")
PHASES = ["Forward", "Backward", "Update"]
COLORS = [sns.color_palette("colorblind")[i] for i in (2, 4, 0)]
RED = "#D40000"
APPROACHES = {(0, 0): "zero3", (0, 1): "backward-only", (1, 1): "deep-optimizer-states"}
TITLES = {"dp": "data-parallel degree", "tp": "tensor-parallel degree", "ga": "gradient-accumulation degree",
          "ratio": "share updated on the GPU", "model": "model", "subg": "Subgroup size", "approach": "Approach"}
SHORT = {"zero3": "Z3", "backward-only": "BO", "deep-optimizer-states": "DOS"}


def keys(log):
    """What the name of a log says, and what follows from it."""
    run = {key: float(value) for key, value in re.findall(r"-([a-z_]+)([\d.]+)(?=-|\.log)", log.name)}
    run["log"], run["model"] = log, log.name.split("-")[1]
    run["ga"] = run["gbs"] / (run["mbs"] * run["dp"])
    run["approach"] = APPROACHES.get((run["prefetch"], run.get("flush_async", 0)))
    return run


def times(log, iteration):
    """Phases and elapsed time in s and TFLOPs of an iteration, or the means of all but the first."""
    rows = []
    with open(log, errors="replace") as lines:
        for line in lines:
            if match := TIMES.search(line):
                rows.append([float(ms) / 1000 for ms in match.groups()])
            elif rows and (match := ITERATION.search(line)):
                rows[-1] += float(match[1]) / 1000, float(match[2])
                if len(rows) == iteration:
                    return rows[-1]
    return np.mean(rows[1:], axis=0)


def read(folders, groups, bars, iteration, where):
    runs = pd.DataFrame([keys(log) for folder in folders for log in Path(folder).glob("log-*.log")])
    if where:
        runs = runs.query(where)
    figures = [times(log, iteration) for log in runs["log"]]
    runs[[*PHASES, "Elapsed", "TFLOPs"]] = figures
    if groups == "model":
        runs["model"] = runs["model"].str.rstrip("B").astype(float)
    order = list(SHORT) if bars == "approach" else sorted(runs[bars].unique())
    runs[bars] = pd.Categorical(runs[bars], order, ordered=True)
    return runs.sort_values([groups, bars], ascending=[groups != "ratio", True])


def group_label(key, value):
    if key == "model":
        return f"{value:g}B"
    return f"{1 - value:.0%}" if key == "ratio" else f"{key.upper()} = {value:g}"


def bar_label(key, value):
    if key != "subg":
        return SHORT.get(value, value)
    return f"{value / 1e9:g}B" if value >= 1e9 else f"{value / 1e6:g}M"


def draw(runs, groups, bars):
    sns.set_theme(style="ticks", font="DejaVu Sans", rc={
        "font.size": 9, "font.weight": "bold", "axes.labelsize": 11, "axes.labelweight": "bold",
        "axes.edgecolor": "black", "xtick.labelsize": 7.5, "xtick.bottom": False, "ytick.labelsize": 10,
        "legend.fontsize": 10, "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.12, right=.87, bottom=.36, top=.9)
    group, bar = pd.factorize(runs[groups])[0], runs[bars].cat.codes.to_numpy()
    x = group * (bar.max() + 1.8) + bar
    bottom = np.zeros(len(runs))
    for phase, color in zip(PHASES, COLORS):
        stack = ax.bar(x, runs[phase], .8, bottom, color=color, linewidth=0, label=phase)
        bottom += runs[phase]
    totals = runs["Elapsed"] if bars == "approach" else bottom
    ax.bar_label(stack, [f"{total:.1f}" for total in totals], rotation=90, padding=2, fontsize=7)
    ax.set(xlabel=f"{TITLES[bars]}, by {TITLES[groups]}", ylabel="Iteration time (s)",
           ylim=(0, bottom.max() * 1.5), xlim=(x.min() - .8, x.max() + .8))
    ax.yaxis.get_major_locator().set_params(nbins=6, integer=True)
    ax.xaxis.set_label_coords(.5, -.44)
    ax.set_xticks(x, [bar_label(bars, value) for value in runs[bars]], rotation=90)
    for g, value in enumerate(runs[groups].unique()):
        left, right = x[group == g].min() - .4, x[group == g].max() + .4
        below = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot([left, right], [-.31, -.31], color="black", linewidth=.8, **below)
        ax.text((left + right) / 2, -.33, group_label(groups, value), ha="center", va="top", **below)
    tflops(ax.twinx(), x, runs["TFLOPs"].to_numpy(), bar if bars == "approach" else group)
    handles, labels = ax.get_legend_handles_labels()
    handles.append(plt.Line2D([], [], color=RED, linestyle=":", marker="o", markersize=4))
    ax.legend(handles, [*labels, "TFLOPs"], loc="lower center", bbox_to_anchor=(.5, .98), ncol=4, frameon=False,
              columnspacing=1, handletextpad=.5)
    return fig


def tflops(ax, x, values, lines):
    for line in np.unique(lines):
        ax.plot(x[lines == line], values[lines == line], color=RED, linestyle=":", marker="o", markersize=4)
    ax.set_ylabel("TFLOPs", color=RED)
    ax.set_ylim(0, values.max() * 1.1)
    ax.tick_params(axis="y", colors=RED)
    ax.spines["right"].set_color(RED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--groups", default="dp")
    parser.add_argument("--bars", default="subg")
    parser.add_argument("--iteration", type=lambda n: 0 if n == "mean" else int(n), default=3)
    parser.add_argument("--where", help="a pandas query over the keys of the file names")
    parser.add_argument("--name", default="data-parallel")
    args = parser.parse_args()
    runs = read(args.folders, args.groups, args.bars, args.iteration, args.where)
    fig = draw(runs, args.groups, args.bars)
    model = "+".join(runs["log"].map(lambda log: log.name.split("-")[1]).unique())
    for suffix in "png", "eps":
        fig.savefig(args.out / f"{model}-{args.name}.{suffix}", dpi=300)


if __name__ == "__main__":
    main()

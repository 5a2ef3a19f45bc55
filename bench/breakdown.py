#!/usr/bin/python3
"""Phase times and TFLOPs, or elapsed times, for groups of runs, drawn with seaborn: breakdown.py DIR OUT ..."""
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

plt.switch_backend("Agg")
TIMES = re.compile(r"\| fwd: ([\d.]+) \| bwd: ([\d.]+) .*\| step: ([\d.]+)")
ITERATION = re.compile(r"elapsed time per iteration \(ms\): ([\d.]+).* TFLOPs: ([\d.]+)")
COLORS = {"Forward": "#029E73", "Backward": "#CC78BC", "Update": "#0173B2", "Other": "#949494"}
PHASES = list(COLORS)[:3]
RED = "#D40000"
APPROACHES = {(0, 0): "ZeRO-3", (0, 1): "BW-only", (1, 1): "DOS"}
TITLES = {"dp": "data-parallel degree", "tp": "tensor-parallel degree", "ga": "gradient-accumulation degree",
          "ratio": "share updated on the GPU", "model": "model", "subg": "Subgroup size", "approach": "Approach"}


def keys(log):
    """What the name of a log says, and what follows from it."""
    run = {key: float(value) for key, value in re.findall(r"-([a-z_]+)([\d.]+)(?=-|\.log)", log.name)}
    run["log"], run["model"] = log, 1e9 * float(log.name.split("-")[1].rstrip("B"))
    run["ga"] = run["gbs"] / (run["mbs"] * run["dp"])
    run["approach"] = APPROACHES[run["prefetch"], run.get("flush_async", 0)]
    return run


def times(log, first, last):
    """Phases and elapsed time in s, and TFLOPs: means over these iterations."""
    rows = []
    with open(log, errors="replace") as lines:
        for line in lines:
            if match := TIMES.search(line):
                rows.append([float(ms) / 1000 for ms in match.groups()])
            elif rows and (match := ITERATION.search(line)):
                rows[-1] += float(match[1]) / 1000, float(match[2])
                if len(rows) == last:
                    break
    return np.mean(rows[first - 1:], axis=0)


def read(folder, groups, bars, first, last, where):
    runs = pd.DataFrame([keys(log) for log in folder.glob("log-*.log")])
    runs = runs.query(where) if where else runs
    runs[[*PHASES, "Elapsed", "TFLOPs"]] = [times(log, first, last) for log in runs["log"]]
    runs["Other"] = runs["Elapsed"] - runs[PHASES].sum(axis=1)
    order = list(APPROACHES.values()) if bars == "approach" else sorted(runs[bars].unique())
    runs[bars] = pd.Categorical(runs[bars], order, ordered=True)
    return runs.sort_values([groups, bars], ascending=[groups != "ratio", True])


def label(key, value):
    if key in ("subg", "model"):
        return f"{value / 1e9:g}B" if value >= 1e9 else f"{value / 1e6:g}M"
    return value if key == "approach" else f"{1 - value:.0%}" if key == "ratio" else f"{key.upper()} = {value:g}"


def draw(runs, groups, bars, elapsed):
    sns.set_theme("paper", "ticks", font="DejaVu Sans", font_scale=1.15, rc={
        "font.size": 10, "font.weight": "bold", "axes.labelweight": "bold", "axes.edgecolor": "black",
        "xtick.bottom": False, "xtick.major.pad": 0, "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.14, right=.98 if elapsed else .88, bottom=.4, top=.9)
    group, bar = pd.factorize(runs[groups])[0], runs[bars].cat.codes.to_numpy()
    x = group * (bar.max() + 2) + bar
    bottom = np.zeros(len(runs))
    for phase in COLORS if elapsed else PHASES:
        stack = ax.bar(x, runs[phase], .9, bottom, color=COLORS[phase], linewidth=0, label=phase)
        bottom += runs[phase]
    ax.bar_label(stack, [f"{total:.1f}" for total in bottom], rotation=90, padding=2)
    ax.set(xlabel=f"{TITLES[bars]}, by {TITLES[groups]}", ylim=(0, bottom.max() * 1.35),
           ylabel="Iteration time (s)" if elapsed else "Phase times (s)")
    ax.xaxis.set_label_coords(.5, -.68)
    ax.set_xticks(x, [label(bars, value) for value in runs[bars]], rotation=90)
    for g, value in enumerate(runs[groups].unique()):
        middle = x[group == g].mean()
        below = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot([middle - bar.max() * .6, middle + bar.max() * .6], [-.5, -.5], color="black", linewidth=1, **below)
        ax.text(middle, -.52, label(groups, value), ha="center", va="top", **below)
    handles, labels = ax.get_legend_handles_labels()
    if not elapsed:
        handles += tflops(ax.twinx(), x, runs["TFLOPs"].to_numpy(), group)
        labels.append("TFLOPs")
    ax.legend(handles, labels, loc="lower center", bbox_to_anchor=(.5, .97), ncol=4, frameon=False, handlelength=.7)
    return fig


def tflops(ax, x, values, group):
    for g in np.unique(group):
        ax.plot(x[group == g], values[group == g], color="white", linewidth=3)
        line = ax.plot(x[group == g], values[group == g], color=RED, linestyle=":", marker="o", markersize=4)
    ax.set(ylim=(0, values.max() * 1.1))
    ax.set_ylabel("TFLOPs per GPU", color=RED)
    ax.tick_params(axis="y", colors=RED)
    return line


if __name__ == "__main__":
    folder, out, *options = sys.argv[1:]
    options = dict(first=3, last=3, groups="dp", bars="subg") | dict(option.split("=", 1) for option in options)
    groups, bars, elapsed = options["groups"], options["bars"], "elapsed" in options
    runs = read(Path(folder), groups, bars, int(options["first"]), int(options["last"]), options.get("where"))
    fig = draw(runs, groups, bars, elapsed)
    for suffix in "png", "eps":
        fig.savefig(f"{out}/{groups}.{suffix}", dpi=300)

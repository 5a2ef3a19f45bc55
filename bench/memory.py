#!/usr/bin/python3
"""Free GPU memory over one iteration, its phases shaded, drawn with seaborn: memory.py DIR OUT"""
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

RANGES = ["DeepSpeedEngine.forward", "DeepSpeedEngine.backward", "DeepSpeedEngine._take_model_step"]
PHASES = ["Forward", "Backward", "Update"]
COLORS = [sns.color_palette("colorblind")[i] for i in (2, 4, 0)]


def third_iteration(capture):
    """A row for each phase, with its start and end as the monitor's clock shows them."""
    with closing(sqlite3.connect(f"{capture.absolute().as_uri()}?mode=ro", uri=True)) as db:
        epoch, = db.execute("SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME").fetchone()
        events = pd.read_sql_query('SELECT text, start, "end" FROM NVTX_EVENTS WHERE text IN (?, ?, ?) ORDER BY "end"',
                                   db, params=RANGES)
    third = events[events.groupby("text").cumcount() == 2].set_index("text").loc[RANGES]
    return third + epoch


def read(folder):
    monitor, = Path(folder).glob("*-monitor.csv")
    stem = monitor.name[:-len("-monitor.csv")]
    captures = [monitor.with_name(stem + end) for end in ("-nsys.sqlite", ".sqlite")]
    phases = third_iteration(next(filter(Path.exists, captures)))
    samples = pd.read_csv(monitor, usecols=["device_id", "timestamp", "mem_free"])
    samples = samples[samples["device_id"] == samples["device_id"].min()]
    first, last = samples["timestamp"].searchsorted([phases["start"].min(), phases["end"].max()])
    return stem, phases, samples[max(0, first - 1):last + 1]


def draw(phases, samples):
    sns.set_theme(style="ticks", font="DejaVu Sans", rc={
        "font.size": 10, "font.weight": "bold", "axes.labelsize": 11, "axes.labelweight": "bold",
        "axes.edgecolor": "black", "xtick.labelsize": 10, "ytick.labelsize": 10, "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.14, right=.98, bottom=.16, top=.92)
    begin = phases["start"].min()
    bands = (phases - begin) / 1e9
    width = bands["end"].max()
    right = 0
    for phase, color, (start, end) in zip(PHASES, COLORS, bands.to_numpy()):
        ax.axvspan(start, end, color=sns.light_palette(color, 5)[1], linewidth=0)
        right = max(right, (start + end) / 2 - width * .08)
        ax.text(right, 1.01, phase, color=color, va="bottom", transform=ax.get_xaxis_transform())
        right += width * .2
    free = samples["mem_free"] / 2**30
    ax.plot((samples["timestamp"] - begin) / 1e9, free, color="black", linewidth=1.5)
    ax.locator_params(axis="y", nbins=5)
    ax.set(xlabel="Time within the iteration (s)", ylabel="GPU memory free (GB)",
           xlim=(0, width), ylim=(0, free.max() * 1.3))
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    stem, phases, samples = read(folder)
    fig = draw(phases, samples)
    model = stem[len("log-"):].split("-")[0] if stem.startswith("log-") else stem
    for suffix in "png", "eps":
        fig.savefig(Path(out) / f"{model}-memory.{suffix}", dpi=300)

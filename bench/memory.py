#!/usr/bin/python3
"""Free GPU memory over the third iteration, its phases shaded, drawn with seaborn: memory.py DIR OUT"""
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

plt.switch_backend("Agg")
RANGES = ["DeepSpeedEngine.forward", "DeepSpeedEngine.backward", "DeepSpeedEngine._take_model_step"]
PHASES = ["Forward", "Backward", "Update"]
COLORS = [sns.light_palette(sns.color_palette("colorblind")[i], 5)[1] for i in (2, 4, 0)]


def third_iteration(capture):
    """A row for each phase, with its start and end as the monitor's clock shows them."""
    with closing(sqlite3.connect(f"file:{capture}?mode=ro", uri=True)) as db:
        epoch, = db.execute("SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME").fetchone()
        events = pd.read_sql_query('SELECT text, start, "end" FROM NVTX_EVENTS WHERE text IN (?, ?, ?) ORDER BY "end"',
                                   db, params=RANGES)
    return events[events.groupby("text").cumcount() == 2].set_index("text").loc[RANGES] + epoch


def read(folder):
    monitor, = Path(folder).glob("*-monitor.csv")
    phases = third_iteration(str(monitor).replace("-monitor.csv", "-nsys.sqlite"))
    samples = pd.read_csv(monitor, usecols=["device_id", "timestamp", "mem_free"])
    samples = samples[samples["device_id"] == samples["device_id"].min()]
    first, last = samples["timestamp"].searchsorted([phases["start"].min(), phases["end"].max()])
    return phases, samples[max(0, first - 1):last + 1]


def draw(phases, samples):
    sns.set_theme("paper", "ticks", font="DejaVu Sans", font_scale=1.15, rc={
        "font.size": 10, "font.weight": "bold", "axes.labelweight": "bold", "axes.edgecolor": "black",
        "ps.fonttype": 42})
    fig, ax = plt.subplots(figsize=(5, 3))
    fig.subplots_adjust(left=.15, right=.98, bottom=.16, top=.9)
    begin = phases["start"].min()
    bands = (phases - begin) / 1e9
    for phase, color, (start, end) in zip(PHASES, COLORS, bands.to_numpy()):
        ax.axvspan(start, end, color=color, linewidth=0, label=phase)
    free = samples["mem_free"] / 2**30
    ax.plot((samples["timestamp"] - begin) / 1e9, free, color="black", linewidth=1.5)
    ax.set(xlabel="Time within the iteration (s)", ylabel="Free GPU memory (GiB)",
           xlim=(0, bands["end"].max()), ylim=(0, free.max() * 1.1))
    ax.legend(loc="lower center", bbox_to_anchor=(.5, .98), ncol=3, frameon=False, handlelength=.7)
    return fig


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    fig = draw(*read(folder))
    for suffix in "png", "eps":
        fig.savefig(f"{out}/memory.{suffix}", dpi=300)

#!/usr/bin/env python3
"""Makes the large inputs of bench/run: the same bytes for the same arguments, written row by row.

generate.py log FILE BYTES       one log of a run with 16 ranks, about 10 KB an iteration
generate.py logs DIR COUNT       small logs: the first twelve are a grid (run0), the others have one size each
generate.py monitor DIR ROWS     a monitor of four GPUs, and a small capture whose iterations stand near its end
generate.py capture DIR ROWS     a capture of so many NVTX rows, and a small monitor
"""
import random
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

STEM = "log-13B-tp1-dp1-l40-h5120-a40-sl2048-gbs1-mbs1-ratio1-subg100000000-prefetch0-flush_async0-opt_gaps0"
EPOCH_NS = 1_711_753_624_858_000_000
FORWARD_S, BACKWARD_S, UPDATE_S, ITERATION_S = .3, 2., 1.5, 4.

PREAMBLE = """\
[2024-03-26 20:36:58,212] [INFO] [real_accelerator.py:161:get_accelerator] Setting ds_accelerator to cuda (auto detect)
--------------------------------------------------
DeepSpeed C++/CUDA extension op report
--------------------------------------------------
cpu_adam ............... \x1b[92m[YES]\x1b[0m ...... \x1b[92m[OKAY]\x1b[0m
fused_adam ............. \x1b[93m[NO]\x1b[0m ....... \x1b[92m[OKAY]\x1b[0m
using world size: 16, data-parallel-size: 16, tensor-model-parallel size: 1, pipeline-model-parallel size: 1
------------------------ arguments ------------------------
  micro_batch_size ................................ 4
  train_iters ..................................... 10
-------------------- end of arguments ---------------------
[2024-03-26 20:37:54,790] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | init_optimizer_state: 6269.46
"""

MEMORY = """\
[{stamp}] [INFO] [utils.py:800:see_memory_usage] Engine {moment}
[{stamp}] [INFO] [utils.py:801:see_memory_usage] MA {ma:.2f} GB         Max_MA {ma:.2f} GB         CA 20.44 GB         \
Max_CA 28 GB 
[{stamp}] [INFO] [utils.py:808:see_memory_usage] CPU Virtual Memory:  used = 144.67 GB, percent = 28.7%
"""

STEP = """\
[{stamp}] [INFO] [stage3.py:2282:step] With missing steps outer loop took {loop:.15f}
[{stamp}] [INFO] [stage3.py:2290:step] Full outer step loop took {loop:.15f}
[{stamp}] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | optimizer_step: {step:.2f}
{ends}\
[{stamp}] [INFO] [logging.py:96:log_dist] [Rank 0] step={n}, skipped=0, \
lr=[0.00016499999999999997], mom=[(0.9, 0.95)]
[{stamp}] [INFO] [timer.py:260:stop] epoch=0/micro_step={n}/global_step={n}, \
RunningAvgSamplesPerSec=0.5669145149738251, CurrSamplesPerSec=0.5669145149738251, MemAllocated=12.93GB, \
MaxMemAllocated=12.93GB
[{stamp}] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd_microstep: {fwd:.2f} | bwd_microstep: {bwd:.2f} | \
bwd_inner_microstep: {inner:.2f} | bwd_allreduce_microstep: 568.09 | step_microstep: {step:.2f}
[{stamp}] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd: {fwd:.2f} | bwd: {bwd:.2f} | \
bwd_inner: {inner:.2f} | bwd_allreduce: 568.10 | step: {step:.2f}
"""

ITERATION = """\
<<<iter_marker:{ns}>>>
 elapsed_time {elapsed:.6f} | consumed samples: {samples:12d} | consumed tokens: {tokens:12d} | \
elapsed time per iteration (ms): {ms:.1f} | learning rate: 1.650E-04 | global batch size:     4 | \
lm loss: {loss:.6E} | loss scale: 1.0 | actual seqlen:  2048 | number of skipped iterations:   0 | \
number of nan iterations:   0 | samples per second: {rate:.3f} | TFLOPs: {tflops:.2f} |
In train_step in training.py!!!!!... True, False
"""


def iteration(rng, n, ranks, begin):
    """The lines of the n-th iteration, which begins at that second of the run, and the second at which it ends."""
    fwd, bwd, step = rng.uniform(600, 650), rng.uniform(2500, 2540), rng.uniform(3700, 4200)
    seconds = (fwd + bwd + step) / 1000
    moments = [("before forward", 0), ("after forward", fwd), ("before backward", fwd), ("after backward", fwd + bwd),
               ("before step", fwd + bwd)]
    parts = [MEMORY.format(stamp=stamp(begin + ms / 1000), moment=moment, ma=rng.uniform(12, 17))
             for moment, ms in moments]
    start, end = stamp(begin + (fwd + bwd) / 1000), stamp(begin + seconds)
    start_ns, end_ns = (EPOCH_NS + int((begin + seconds) * 1e9 - ms * 1e6) for ms in (step, 0))
    timers = rng.choices(range(1_000_000), k=ranks)
    parts += [f"[{start}] [INFO] [stage3.py:2251:step] <<<TIMER:step_start,{start_ns + t}>>>\n" for t in timers]
    ends = "".join(f"[{end}] [INFO] [stage3.py:2395:step] <<<TIMER:step_end,{end_ns + t}>>>\n"
                   f"[{end}] [INFO] [stage3.py:2396:step] End to end step took {step / 1000 + t / 1e9:.15f}\n"
                   for t in timers)
    parts.append(STEP.format(stamp=end, n=n, ends=ends, loop=step / 1000, fwd=fwd, bwd=bwd, inner=bwd - 568, step=step))
    parts.append(MEMORY.format(stamp=end, moment="after step", ma=12.93))
    parts += [f"<TIMER:interval-time,{seconds + t / 1e9:.15f}>\n" for t in timers]
    parts.append(ITERATION.format(ns=end_ns, elapsed=seconds, ms=seconds * 1000, samples=4 * n, tokens=8192 * n,
                                  loss=rng.uniform(8, 12), rate=4 / seconds, tflops=450 / seconds))
    return "".join(parts), begin + seconds + .1


def stamp(second):
    moment = datetime(2024, 3, 26, 20, 38) + timedelta(seconds=second)
    return moment.strftime("%Y-%m-%d %H:%M:%S,") + f"{moment.microsecond // 1000:03d}"


def log(file, size):
    rng, second, n, written = random.Random(1), 0, 0, len(PREAMBLE)
    with open(file, "w", newline="\n") as out:
        out.write(PREAMBLE)
        while written < size:
            n += 1
            text, second = iteration(rng, n, 16, second)
            written += out.write(text)


def logs(folder, count):
    grid = [(dp, subg * 10**6) for dp in (1, 2, 4) for subg in (100, 500, 1000, 3000)]
    grid += [(1, 1000 + i) for i in range(count)]
    for i, (dp, subg) in enumerate(grid[:count]):
        run = 0 if i < 12 else i
        rng, second = random.Random(i), 0
        name = f"log-7B-tp1-dp{dp}-l32-h4096-a32-sl2048-gbs{4 * dp}-mbs4-ratio1-subg{subg}-prefetch0-run{run}.log"
        with open(folder / name, "w", newline="\n") as out:
            out.write(PREAMBLE)
            for n in range(1, 6):
                text, second = iteration(rng, n, 1, second)
                out.write(text)


def samples(file, devices, rows, seconds):
    """A monitor's rows, device after device, each over the same seconds."""
    rng = random.Random(2)
    tails = [f",{rng.uniform(0, 25e3):.10f},{rng.uniform(0, 25e3):.10f},{rng.randrange(101)},{rng.randrange(101)},"
             f"{42949672960 - free},{free}\r\n" for free in rng.choices(range(9 << 30, 16 << 30, 1 << 20), k=997)]
    with open(file, "w", newline="") as out:
        out.write("device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\r\n")
        for device in range(devices):
            count = rows // devices
            period = int(seconds * 1e9) // count
            out.writelines(f"{device},{EPOCH_NS + i * period + i * 7919 % 999983}{tails[i % 997]}"
                           for i in range(count))


def events(rows, offset_s):
    """Torch's ranges, and in each iteration one forward, one backward and one update among them."""
    count = min(2000, rows // 5)
    names = ["aten::mm", "aten::linear", "aten::add", "aten::copy_", "aten::empty", "aten::view", "aten::t",
             "DeepSpeedZeroOptimizer_Stage3._prepare_sub_group"]
    phases = {1: ("DeepSpeedEngine.forward", FORWARD_S), int(count * .1): ("DeepSpeedEngine.backward", BACKWARD_S),
              int(count * .6): ("DeepSpeedEngine._take_model_step", UPDATE_S)}
    thread = 1 << 48 | 148 << 24 | 148
    for i in range(rows):
        n, k = divmod(i, count)
        start = int((offset_s + n * ITERATION_S + k * ITERATION_S / count) * 1e9)
        name, seconds = phases.get(k, (names[i % 8], 5e-5))
        yield start, start + int(seconds * 1e9), 59, name, thread, 0


def nvtx(file, rows, offset_s):
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript("""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;
            CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT);
            CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, rangeId INTEGER,
                category INTEGER, color INTEGER, text TEXT, globalTid INTEGER, endGlobalTid INTEGER, textId INTEGER,
                domainId INTEGER, uint64Value INTEGER, int64Value INTEGER, doubleValue REAL, uint32Value INTEGER,
                int32Value INTEGER, floatValue REAL, jsonTextId INTEGER, jsonText TEXT);
            INSERT INTO StringIds VALUES (1, '[Unknown]');""")
        utc = datetime.fromtimestamp(EPOCH_NS // 10**9, timezone.utc).isoformat()
        db.execute("INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (?, ?, ?)", (EPOCH_NS, utc, utc))
        db.executemany('INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId)'
                       " VALUES (?, ?, ?, ?, ?, ?)", events(rows, offset_s))
        db.execute("COMMIT")


def monitor(folder, rows):
    seconds = rows / 4 * .0418
    samples(folder / f"{STEM}-monitor.csv", 4, rows, seconds)
    nvtx(folder / f"{STEM}-nsys.sqlite", 1000, seconds - 6 * ITERATION_S)


def capture(folder, rows):
    samples(folder / f"{STEM}-monitor.csv", 1, 600, 25)
    nvtx(folder / f"{STEM}-nsys.sqlite", rows, 0)


if __name__ == "__main__":
    kind, where, amount = sys.argv[1:]
    {"log": log, "logs": logs, "monitor": monitor, "capture": capture}[kind](Path(where), int(amount))

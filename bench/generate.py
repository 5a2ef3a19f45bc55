"""Makes the large inputs of bench/run: the same bytes for the same arguments."""
import sqlite3
from contextlib import closing

LOG = "log-7B-tp1-dp{dp}-l32-h4096-a32-sl2048-gbs{gbs}-mbs4-ratio1-subg{subg}-prefetch0-run{run}.log"
STEM = "log-13B-tp1-dp1-l40-h5120-a40-sl2048-gbs1-mbs1-ratio1-subg100000000-prefetch0-flush_async0-opt_gaps0"
EPOCH_NS = 1_711_753_624_858_000_000
ITERATION_NS = 4_000_000_000
# An iteration's ranges: the place among its rows, the name, the ns.
PHASES = [(.001, "DeepSpeedEngine.forward", 300_000_000), (.1, "DeepSpeedEngine.backward", 2_000_000_000),
          (.6, "DeepSpeedEngine._take_model_step", 1_500_000_000)]

STAMP = "[2024-03-26 20:38:00,105] [INFO]"
# What a rank says in an iteration, and what the first one adds: three lines with times, then the iteration's figures.
RANK = f"""\
{STAMP} [utils.py:801:see_memory_usage] MA 12.93 GB         Max_MA 16.21 GB         CA 20.44 GB         Max_CA 28 GB\x20
{STAMP} [utils.py:808:see_memory_usage] CPU Virtual Memory:  used = 144.67 GB, percent = 28.7%
{STAMP} [stage3.py:2251:step] <<<TIMER:step_start,1711485484105000000>>>
{STAMP} [stage3.py:2395:step] <<<TIMER:step_end,1711485488124000000>>>
{STAMP} [stage3.py:2396:step] End to end step took 4.019412756018573
<TIMER:interval-time,7.300000000000000>
"""
TIMES = f"""\
{STAMP} [logging.py:96:log_dist] [Rank 0] time (ms) | optimizer_step: %d.41
{STAMP} [logging.py:96:log_dist] [Rank 0] time (ms) | fwd_microstep: 635.86 | bwd_microstep: 2515.72 | \
bwd_inner_microstep: 1947.62 | bwd_allreduce_microstep: 568.09 | step_microstep: %d.41
{STAMP} [logging.py:96:log_dist] [Rank 0] time (ms) | fwd: 635.86 | bwd: 2515.72 | bwd_inner: 1947.62 | \
bwd_allreduce: 568.10 | step: %d.41
 elapsed_time 7.300000 | consumed samples: %12d | elapsed time per iteration (ms): 7300.0 | learning rate: 1.650E-04 | \
global batch size:     4 | lm loss: 1.102345E+01 | loss scale: 1.0 | samples per second: 0.548 | TFLOPs: 62.46 |
"""


def iteration(n, ranks):
    update = 3700 + n * 7919 % 500
    return RANK * ranks + TIMES % (update, update, update, 4 * n)


def log(folder, size):
    """One log of a run with 16 ranks, 9 KB an iteration."""
    with open(folder / LOG.format(dp=1, gbs=4, subg=10**8, run=0), "w") as out:
        written = n = 0
        while written < size:
            n += 1
            written += out.write(iteration(n, 16))


def line(folder, size):
    """A log in which one line, before the third iteration, is as long as this."""
    with open(folder / LOG.format(dp=1, gbs=4, subg=10**8, run=0), "w") as out:
        for n in range(1, 6):
            out.write(iteration(n, 1))
            if n == 2:
                out.writelines("step| 0.123 |" * 1000 for _ in range(size // 13_000))
                out.write("\n")


def logs(folder, count):
    """Small logs: the first twelve are a grid of run 0, of each other run there is one."""
    text = "".join(iteration(n, 2) for n in range(1, 6))
    grid = [(dp, subg * 10**8, 0) for dp in (1, 2, 4) for subg in (1, 5, 10, 30)]
    for dp, subg, run in grid + [(1, 1000 + run, run) for run in range(1, count - 11)]:
        (folder / LOG.format(dp=dp, gbs=4 * dp, subg=subg, run=run)).write_text(text)


def samples(file, devices, rows, period_ns):
    """Rows of 67 bytes, device after device, each over the same time."""
    tails = [f",{i * 37 % 997}.5,{i * 71 % 997}.25,{i % 101},{i % 89},{28 * 10**9},{(14_000 - i) * 10**6}\r\n"
             for i in range(997)]
    with open(file, "w", newline="") as out:
        out.write("device_id,timestamp,txpci,rxpci,gpu_util,mem_util,mem_used,mem_free\r\n")
        for device in range(devices):
            out.writelines(f"{device},{EPOCH_NS + i * period_ns}{tails[i % 997]}" for i in range(rows // devices))


def events(rows, begin_ns):
    """Torch's ranges, and in each iteration of 2,000 rows, or fewer, the phases among them."""
    count = min(2000, rows // 5)
    phases = {int(count * place): (name, ns) for place, name, ns in PHASES}
    names = ["aten::mm", "aten::linear", "aten::add", "aten::copy_", "aten::empty", "aten::view", "aten::t"]
    thread = 1 << 48 | 148 << 24 | 148
    for i in range(rows):
        name, ns = phases.get(i % count, (names[i % 7], 50_000))
        start = begin_ns + i * ITERATION_NS // count
        yield start, start + ns, 59, name, thread, 0


def nvtx(file, rows, begin_ns):
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript(f"""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;
            CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT);
            INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES ({EPOCH_NS}, '', '');
            CREATE TABLE NVTX_EVENTS (start, end, eventType, rangeId, category, color, text, globalTid, endGlobalTid,
                textId, domainId, uint64Value, int64Value, doubleValue, uint32Value, int32Value, floatValue);""")
        db.executemany('INSERT INTO NVTX_EVENTS (start, "end", eventType, text, globalTid, domainId)'
                       " VALUES (?, ?, ?, ?, ?, ?)", events(rows, begin_ns))
        db.execute("COMMIT")


def monitor(folder, rows):
    """A monitor of four GPUs, and a small capture whose iterations stand near its end."""
    samples(folder / f"{STEM}-monitor.csv", 4, rows, 41_800_000)
    nvtx(folder / f"{STEM}-nsys.sqlite", 1000, rows // 4 * 41_800_000 - 6 * ITERATION_NS)


def capture(folder, rows):
    """A capture of so many NVTX rows, and a small monitor."""
    samples(folder / f"{STEM}-monitor.csv", 1, 600, 41_800_000)
    nvtx(folder / f"{STEM}-nsys.sqlite", rows, 0)

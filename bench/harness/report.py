"""The tables that ./dev bench prints. A target that was missed is marked, and is never a failure."""

PROCESSES = ("service", "postgres", "redis", "simulator", "load generator")


def table(title, heads, rows):
    """Columns as wide as they must be; texts to the left, numbers to the right."""
    texts = [i == 0 or all(isinstance(row[i], str) and not row[i][:1].isdigit() for row in rows) for i in range(len(heads))]
    cells = [heads] + [[show(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        print("  " + "  ".join(cell.ljust(width) if text else cell.rjust(width)
                               for cell, width, text in zip(row, widths, texts)).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


def show(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def rates(points):
    table("End to end: accepted, committed, delivered. Latencies in ms; accept: from the intended start to the\n"
          "OK; provider: from the call's arrival at the service to the notification's at the provider.",
          ["run", "rate/s", "accept p50", "p95", "p99", "provider p50", "p95", "p99", "notifications", "drained s"],
          [[p["name"], p["rate"], *(p["accept_ms"][k] for k in ("p50", "p95", "p99")),
            *(p["provider_ms"][k] for k in ("p50", "p95", "p99")), p["delivered"], f"{p['drain_seconds']:.2f}"]
           for p in points])


def costs(points):
    table("Processor time, microseconds a notification, by process; and what others took of the machine meanwhile.",
          ["run", *PROCESSES, "all", "others %"],
          [[p["name"], *(p["cpu_us"][name] for name in PROCESSES), sum(p["cpu_us"].values()),
            100 * p["foreign_cpu_share"]] for p in points])


def stage_rows(stages, raw):
    """(stage, process, its cost, what its raw blocks are, what they cost together)."""
    accept, deliver, ledger, queue = stages["accept_cpu_us"], stages["deliver_cpu_us"], raw["ledger"], raw["queue"]
    work = {name: {key: queue[name][key] for key in ("server_us", "client_us")} for name in queue}
    taken = {key: work["lease"][key] + work["ack"][key] for key in ("server_us", "client_us")}
    return [
        ("accept", "service", accept["service"], "empty handler + libpq loop's client + redis-benchmark",
         raw["accept"]["unary"]["server_us"] + ledger["append"]["client_us"] + work["enqueue"]["client_us"]),
        ("ledger, append", "postgres", accept["postgres"], f"libpq loop, batches of {ledger['append']['batch']}",
         ledger["append"]["server_us"]),
        ("queue, enqueue", "redis", accept["redis"], f"redis-benchmark, the same script by {queue['enqueue']['batch']}", work["enqueue"]["server_us"]),
        ("deliver", "service", deliver["service"], "h2load + libpq loop's client + redis-benchmark",
         raw["dispatch"]["client_us"] + ledger["record"]["client_us"] + taken["client_us"]),
        ("ledger, record", "postgres", deliver["postgres"], f"libpq loop, batches of {ledger['record']['batch']}",
         ledger["record"]["server_us"]),
        ("queue, lease and ack", "redis", deliver["redis"], f"redis-benchmark, the same scripts by {queue['lease']['batch']} and {queue['ack']['batch']}",
         taken["server_us"]),
        ("provider and auth", "simulator", deliver["simulator"], "the simulator under h2load",
         raw["dispatch"]["server_us"]),
    ]


def stages(rows):
    table("Each stage beside its raw block, microseconds a notification (accept alone, unary; then deliver alone).",
          ["stage", "process", "us", "raw us", "ratio", "raw block"],
          [[stage, process, cost, raw, f"{cost / raw:.1f}" if raw else "-", what]
           for stage, process, cost, what, raw in rows])


def raw_blocks(raw):
    table("The raw blocks by themselves.", ["block", "server us", "client us", "rate/s"],
          [[f"empty handler, {mode}", block["server_us"], block["client_us"], block["rate"]]
           for mode, block in raw["accept"].items()] +
          [[f"ledger {phase}, batches of {block['batch']}", block["server_us"], block["client_us"], block["rate"]]
           for phase, block in raw["ledger"].items()] +
          [[f"queue {name}, batches of {block['batch']}", block["server_us"], block["client_us"], None]
           for name, block in raw["queue"].items()] +
          [["dispatch", raw["dispatch"]["server_us"], raw["dispatch"]["client_us"], raw["dispatch"]["rate"]]])


def deciding(measured):
    raw = measured["raw"]
    rows = []
    for who, cost in measured["settings"].items():
        rows.append([f"decision, {who}", cost["decision_ns"], raw["wall_clock_ns"],
                     f"{cost['decision_ns'] / raw['wall_clock_ns']:.1f}", "the wall clock of a zone, read once", None])
        rows.append([f"settings lookup, {who}", cost["lookup_ns"], raw["hash_map_ns"],
                     f"{cost['lookup_ns'] / raw['hash_map_ns']:.1f}", "a hash map of as many users", cost["bytes_a_user"]])
    table(f"Deciding with the settings of {measured['users']:,} users in memory, nanoseconds.",
          ["step", "ns", "raw ns", "ratio", "raw block", "bytes a user"], rows)


def in_use(measured):
    def mean(values):
        values = list(values)
        return sum(values) / len(values)

    measured["shares"] = {}
    rows = []
    for mode, variants in measured["points"].items():
        without = mean(point["rate"] for point in variants["none"])
        for variant, points in variants.items():
            rate = mean(point["rate"] for point in points)
            cpu = {name: mean(point["cpu_us"][name] for point in points) for name in points[0]["cpu_us"]}
            share = measured["shares"].setdefault(mode, {})[variant] = rate / max(1e-9, without)
            rows.append([mode, variant, rate, f"{100 * share:.0f} %", " ".join(f"{p['rate']:,.0f}" for p in points),
                         *(cpu[name] for name in ("service", "postgres", "redis", "load generator"))])
    table("In use: rates/s with users' settings, limits and a template, each alone and all together, and microseconds of "
          "processor\n  time for each notification. The load generator does the same in all: where its time differs, "
          "so does the machine.",
          ["callers", "in use", "rate", "of none", "each run", "service", "postgres", "redis", "load gen."], rows)
    counts = ", ".join(f"{count:,} by {source}" for source, count in sorted(measured["lookups"].items()))
    print(f"\n  The settings cache knew {100 * measured['hit_ratio']:.2f} % of the settings asked for: {counts}.")


def memory(result):
    rows = [["idle", *result["rss_mib_idle"].values()], ["after the runs", *result["rss_mib_after"].values()]]
    if "backlog" in result:
        queued = result["backlog"]["waiting"] + result["backlog"]["leased"]
        rows.append([f"{queued:,} queued", *result["backlog"]["rss_mib"].values()])
    table("Resident memory, MiB.", ["when", "service", "redis"], rows)


def soak(result):
    minutes = result["minutes"]
    table(f"Soak: {result['mode']} at half the maximum, minute by minute.",
          ["minute", "rate/s", "accept p99", "provider p99", "notifications"],
          [[p["name"].split()[-1], p["rate"], p["accept_ms"]["p99"], p["provider_ms"]["p99"], p["delivered"]]
           for p in minutes])
    first, last = minutes[0]["accept_ms"]["p99"], minutes[-1]["accept_ms"]["p99"]
    print(f"\n  p99 of accept went from {first:.1f} ms in the first minute to {last:.1f} ms in the last.")
    table("Tables after the soak.",
          ["table", "rows", "dead %", "HOT % of updates", "bytes a row", "index bytes a row", "autovacuums"],
          [[name, t["rows"], 100 * t["dead_share"], None if t["hot_share"] is None else 100 * t["hot_share"],
            t["bytes_a_row"], t["index_bytes_a_row"], t["autovacuums"]]
           for name, t in result["tables_after"].items()])


def targets(result):
    """(what, wanted, found, whether it is met), as far as it was measured."""
    found = []

    def add(what, value, met, wanted):
        found.append([what, wanted, value, "yes" if met else "no"])

    points = {p["name"]: p for p in result["points"]}
    for mode, wanted in (("unary", 8000), ("stream", 12000)):
        if f"{mode}, maximum" in points:
            rate = points[f"{mode}, maximum"]["rate"]
            add(f"{mode}: rate/s end to end", rate, rate >= wanted, f">= {wanted:,}")
        if f"{mode}, half" in points:
            p99 = points[f"{mode}, half"]["accept_ms"]["p99"]
            add(f"{mode}: p99 of accept at half the maximum, ms", p99, p99 < 50, "< 50")
    drains = [p["drain_seconds"] for p in result["points"] if p["wanted_rate"]]
    if drains:
        add("open loop: seconds until the queue is empty", f"{max(drains):.2f}", max(drains) <= 1, "<= 1")
    for stage, process, cost, _, raw in result.get("stage_rows", []):
        if process != "simulator" and raw:
            add(f"{stage}: times its raw block", cost / raw, cost <= 2 * raw, "<= 2")
    if "deciding" in result:
        costs = result["deciding"]["settings"].values()
        worst = max(cost["decision_ns"] for cost in costs)
        add("decision with settings in memory, ns", worst, worst < 2000, "< 2,000")
        worst = max(cost["lookup_ns"] for cost in costs)
        add("settings lookup in the process, ns", worst, worst < 1000, "< 1,000")
    if "in_use" in result:
        for mode, shares in result["in_use"]["shares"].items():
            add(f"{mode}: rate with settings, limits and template, of that without", f"{shares['all']:.2f}",
                shares["all"] >= 0.9, ">= 0.9")
    if "soak" in result:
        drift = result["soak"]["rate_after"] / result["soak"]["rate_before"]
        add("rate after the soak, of that before", f"{drift:.2f}", drift >= 0.9, ">= 0.9")
    table("Targets (for a quiet two-core machine; a miss is no failure).", ["target", "wanted", "found", "met"], found)

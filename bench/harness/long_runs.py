"""What only time or mass shows: a soak with autovacuum on, and memory with a great many queued."""

import signal
import time

# Over the partitions with rows. n_tup_hot_upd of n_tup_upd is the share of updates that no index noticed.
TABLES = """
SELECT parent.relname, sum(s.n_live_tup), sum(s.n_dead_tup), sum(s.n_tup_upd), sum(s.n_tup_hot_upd),
       sum(pg_table_size(s.relid)), sum(pg_indexes_size(s.relid)), sum(s.autovacuum_count)
FROM pg_stat_user_tables s JOIN pg_inherits i ON i.inhrelid = s.relid JOIN pg_class parent ON parent.oid = i.inhparent
WHERE parent.relname IN ('notification_history', 'delivery_attempts', 'idempotency_keys')
GROUP BY 1 ORDER BY 1"""


def tables(stack):
    time.sleep(1.2)  # backends tell at most once a second
    result = {}
    for name, live, dead, updates, hot, size, indexes, vacuums in stack.psql(TABLES):
        live, dead, updates = int(live), int(dead), int(updates)
        result[name] = {"rows": live, "dead_share": dead / max(1, live + dead),
                        "hot_share": int(hot) / updates if updates else None,
                        "bytes_a_row": int(size) / max(1, live), "index_bytes_a_row": int(indexes) / max(1, live),
                        "autovacuums": int(vacuums)}
    return result


def soak(load, minutes, mode, maximum, seconds):
    """Half the maximum for `minutes`, a run a minute; then the maximum again."""
    before = tables(load.stack)
    points = []
    for minute in range(minutes):
        load.stack.say(f"soak: minute {minute + 1} of {minutes}")
        points.append(load.run(f"soak minute {minute + 1}", mode, 60, rate=maximum["rate"] / 2))
    after_tables = tables(load.stack)
    again = load.run("maximum after the soak", mode, seconds)
    return {"mode": mode, "minutes": points, "tables_before": before, "tables_after": after_tables,
            "rate_before": maximum["rate"], "rate_after": again["rate"], "after": again,
            "rss_mib_after": load.stack.rss_mib()}


def backlog(load, count, modes):
    """Accepts `count` while the provider hangs; they are never delivered: the stack ends after this."""
    stack = load.stack
    stack.simulator("POST", "/reset?keep=devices")
    stack.simulator("POST", "/faults", {"hang": True, "count": -1})
    mode = "batch" if "batch" in modes else modes[0]
    before = stack.rss_mib()
    sent = load.generator(stack.grpc, mode, "--seconds", 600, "--count", count, *load.pace(mode, None))
    time.sleep(1)
    waiting, leased = stack.queued()
    result = {"accepted": sent["accepted"], "waiting": waiting, "leased": leased, "rss_mib_before": before,
              "rss_mib": stack.rss_mib(), "accept_rate": sent["rate"], "accept_ms": sent["accept_ms"]}
    stack.stop_service(signal.SIGKILL)  # it would wait for the provider
    if sent["accepted"] < count or waiting + leased < sent["accepted"]:
        load.failures.append(f"backlog: {count} wanted, {sent['accepted']} accepted, {waiting + leased} queued")
    return result

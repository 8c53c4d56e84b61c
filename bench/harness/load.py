"""One run of the load generator against the stack, and what it cost."""

import json
import os
import subprocess
import time

from . import machine

# How each kind of caller sends: arguments of notification-bench, and how many notifications are
# unanswered at a time when the maximum is looked for.
MODES = {
    "unary": {"arguments": ["--mode", "unary", "--channels", "4"], "in_flight": 256},
    "batch": {"arguments": ["--mode", "batch", "--channels", "4", "--items", "100"], "in_flight": 1600},
    "stream": {"arguments": ["--mode", "stream", "--channels", "4", "--items", "16"], "in_flight": 2048},
}
IN_FLIGHT_MAX = 2000  # deliver.in_flight_max, of each worker
DRAIN_LIMIT = 120  # seconds for what is queued when the callers have stopped


class Load:
    """Threading: none; a run at a time."""

    def __init__(self, stack, users, in_flight=None):
        self.stack, self.users, self.in_flight = stack, users, in_flight
        self.accepted = 0  # by all runs
        self.failures = []  # what was wrong with any of them

    def generator(self, target, mode, *arguments):
        """A run by itself: what it printed."""
        done = subprocess.run(
            [self.stack.bin / "notification-bench", "load", "--target", target, "--users", str(self.users),
             *MODES[mode]["arguments"], *map(str, arguments)],
            check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return json.loads(done.stdout)

    def pace(self, mode, rate):
        if rate is None:
            return ["--in-flight", self.in_flight or MODES[mode]["in_flight"]]
        return ["--rate", f"{rate:.1f}"]

    def run(self, name, mode, seconds, rate=None, count=None, arguments=()):
        """Sends, waits until all of it has arrived, and checks that each did once. `rate`: open loop; `arguments`:
        more for the load generator."""
        stack = self.stack
        stack.simulator("POST", "/reset?keep=devices")
        busy, before, began = machine.busy_seconds(), stack.cpu(), time.monotonic()
        sent = self.generator(stack.grpc, mode, "--seconds", seconds, *self.pace(mode, rate), *arguments,
                              *(["--count", count] if count else []))
        ended = time.monotonic()
        stats = self.drain(sent["accepted"])
        drained = time.monotonic()
        after, busy = stack.cpu(), machine.busy_seconds() - busy
        own = sum(after.values()) - sum(before.values()) + sent["cpu_seconds"]
        seconds = sent["seconds"] + drained - ended  # without the generator's own start
        return self.judge({
            "name": name, "mode": mode, "wanted_rate": rate, "sent": sent["sent"],
            "accepted": sent["accepted"], "refused": sent["refused"], "unexpected": sent["unexpected"],
            "delivered": stats["notifications_distinct"], "duplicates": stats["notification_duplicates"],
            "seconds": seconds, "drain_seconds": drained - ended, "accept_rate": sent["rate"],
            "rate": stats["notifications_distinct"] / seconds if seconds else 0.0,
            "foreign_cpu_share": max(0.0, busy - own) / ((drained - began) * os.cpu_count()),
            "accept_ms": sent["accept_ms"], "late_ms": sent["late_ms"], "provider_ms": stats["age_ms"],
            "cpu_us": per_notification(before, after, sent["accepted"],
                                       {"load generator": sent["cpu_seconds"]})})

    def drain(self, accepted):
        """Until the queue is empty and the provider has everything, or nothing moves any more."""
        end, stats = time.monotonic() + DRAIN_LIMIT, {}
        while time.monotonic() < end:
            if sum(self.stack.queued()) == 0:
                stats = self.stack.simulator("GET", "/stats")
                if stats["notifications_distinct"] >= accepted:
                    return stats
            time.sleep(0.02)
        return self.stack.simulator("GET", "/stats")

    def judge(self, point):
        """Correctness, never time."""
        self.accepted += point["accepted"]
        what = []
        if point["delivered"] != point["accepted"]:
            what.append(f"{point['accepted']} accepted, {point['delivered']} delivered")
        if point["duplicates"]:
            what.append(f"{point['duplicates']} delivered twice")
        if point["unexpected"]:
            what.append(f"{point['unexpected']} answers nobody had asked for")
        if point["accepted"] == 0:
            what.append(f"nothing was accepted (refused, by gRPC status: {point['refused']})")
        if sum(self.stack.queued()):
            what.append(f"the queue still holds {self.stack.queued()} (waiting, leased)")
        point["failures"] = what
        self.failures += [f"{point['name']}: {each}" for each in what]
        return point


def per_notification(before, after, count, more=None):
    """Microseconds of processor time, by process."""
    seconds = {name: after[name] - before[name] for name in before} | (more or {})
    return {name: value * 1e6 / max(1, count) for name, value in seconds.items()}


def hold_deliveries(stack, seconds):
    """What is sent to the provider from now on is answered as late; the rest waits in the queue."""
    stack.simulator("POST", "/faults", {"delay_ms": int(seconds * 1000), "count": -1})


def measure_stages(load, seconds):
    """Accept alone, while the provider's answers are held back, then deliver alone: what each costs."""
    stack = load.stack
    stack.simulator("POST", "/reset?keep=devices")
    hold_deliveries(stack, seconds + 12)
    # So many are taken out of the queue and sent before delivering comes to a stand.
    under_way = load.generator(stack.grpc, "unary", "--seconds", 30, *load.pace("unary", None),
                               "--count", IN_FLIGHT_MAX * stack.workers)["accepted"]
    commits, calls, before = stack.commits(), stack.redis_calls(), stack.cpu()
    began = time.monotonic()
    sent = load.generator(stack.grpc, "unary", "--seconds", seconds, *load.pace("unary", None))
    between = stack.cpu()
    commits_between, calls_between = stack.commits(), stack.redis_calls()
    held = sum(stack.queued())
    sample = stack.redis("ZRANGE", "notification:queue:medium", 0, 0)
    stack.simulator("DELETE", "/faults")
    count = sent["accepted"]
    stats = load.drain(count + under_way)
    after, commits_after, calls_after = stack.cpu(), stack.commits(), stack.redis_calls()
    settled = count + under_way

    def batch(before, after, items=settled):
        return items / max(1, after - before)

    return load.judge({
        "name": "stages", "accepted": settled, "refused": sent["refused"], "unexpected": sent["unexpected"],
        "delivered": stats["notifications_distinct"], "duplicates": stats["notification_duplicates"],
        "seconds": time.monotonic() - began, "held": held, "sample": sample[0] if sample else None,
        "accept_cpu_us": per_notification(before, between, count),
        "deliver_cpu_us": per_notification(between, after, settled),
        "batches": {"append": batch(commits, commits_between, count),
                    "enqueue": batch(calls["enqueue"], calls_between["enqueue"], count),
                    "record": batch(commits_between, commits_after),
                    "lease": batch(calls_between["lease"], calls_after["lease"], count),
                    "ack": batch(calls_between["ack"], calls_after["ack"])}})

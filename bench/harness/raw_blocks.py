"""The raw blocks: what each building block costs by itself, on this machine, in this run."""

import base64
import json
import os
import re
import subprocess
import time
from pathlib import Path

from . import machine

APPEND_MAX, LEASE_MAX = 500, 64  # accept.batch_max, deliver.lease_max


def spent(arguments, **options):
    """Runs a program; returns (what it printed, seconds of processor time it took)."""
    before = os.times()
    done = subprocess.run(list(map(str, arguments)), check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)
    after = os.times()
    return done.stdout, (after.children_user - before.children_user +
                         after.children_system - before.children_system)


def accept(load, mode, seconds):
    """The same API with handlers that do nothing, and the same client."""
    server = subprocess.Popen([load.stack.bin / "notification-bench", "empty-server"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        load.generator(f"127.0.0.1:{port}", mode, "--seconds", 0.5, *load.pace(mode, None))  # warm
        before = machine.cpu_seconds(server.pid)
        sent = load.generator(f"127.0.0.1:{port}", mode, "--seconds", seconds, *load.pace(mode, None))
        cpu = machine.cpu_seconds(server.pid) - before
    finally:
        server.terminate()
        server.wait()
    return {"server_us": cpu * 1e6 / sent["accepted"], "client_us": sent["cpu_seconds"] * 1e6 / sent["accepted"],
            "rate": sent["rate"]}


def ledger(stack, rows, batches):
    """The ledger's statements in a loop over libpq. The service must have been stopped: it would deliver
    what it finds."""
    stack.psql("ANALYZE notification_history, delivery_attempts, idempotency_keys")  # as after some minutes
    common = ["--url", stack.database_url, "--rows", rows, "--first-ms", int(time.time() * 1000)]
    result = {}
    for phase in ("append", "record"):
        batch = max(1, min(APPEND_MAX, round(batches[phase])))
        before = machine.family_cpu_seconds(stack.pids["postgres"])
        printed, _ = spent([stack.bin / "notification-bench", "ledger", "--phase", phase, "--batch", batch, *common])
        own = json.loads(printed)
        cpu = machine.family_cpu_seconds(stack.pids["postgres"]) - before
        result[phase] = {"batch": batch, "server_us": cpu * 1e6 / rows, "rate": rows / own["seconds"],
                         "client_us": own["cpu_seconds"] * 1e6 / rows}
    return result


def deciding(stack, users):
    """A decision and a look into the settings cache, and what both are made of."""
    printed, _ = spent([stack.bin / "notification-bench", "deciding", "--users", users])
    return json.loads(printed)


def queue(stack, items, batches, sample):
    """redis-benchmark with the queue's commands and scripts, in the service's batches, on keys of its own. Its
    ids are random, so of the acks about two thirds find their lease. `sample`: an item as the service wrote it."""
    keys = ["{bench:queue}", "{bench:queue}:inflight:bench", "{bench:queue}:suspect", "{bench:queue}:users"]
    stack.redis("DEL", *keys)
    # redis-benchmark puts twelve digits of a random number in place of the word.
    member = re.sub(r'("(?:id|user)":"[0-9a-f-]{24})[0-9a-f]{12}', r"\1__rand_int__", sample)
    pattern = re.search(r'"id":"([0-9a-f-]{24}__rand_int__)"', member)[1]
    size = {name: max(1, min(LEASE_MAX, round(batches[name]))) for name in ("enqueue", "lease", "ack")}
    scripts = {}
    for name in ("enqueue", "lease", "ack"):
        text, _ = spent([stack.bin / "notification-bench", "queue-script", name])
        scripts[name] = stack.redis("SCRIPT", "LOAD", text)
    now = int(time.time() * 1000)
    latest = now + 3_600_000  # nothing is too late
    epoch = "{bench:queue}:epoch"
    stack.redis("HSET", epoch, "since", now - 3_600_000)  # as when nothing has happened for long
    commands = {
        "enqueue": ["EVALSHA", scripts["enqueue"], 3, keys[0], epoch, keys[2], latest, 86400, 1, *["", member] * size["enqueue"]],
        "lease": ["EVALSHA", scripts["lease"], 4, *keys, size["lease"], "bench"],
        "ack": ["EVALSHA", scripts["ack"], 4, *keys[1:], keys[0], *[pattern] * size["ack"]],
    }
    result = {}
    for name, command in commands.items():
        calls = max(1, items // size[name])
        before = machine.family_cpu_seconds(stack.pids["redis"])
        # -P: as many as the service has under way at once. -r: ids out of as many as there are, so that an
        # ack meets what was leased.
        _, client = spent(["redis-benchmark", "-s", stack.dir / "redis.sock", "-n", calls, "-c", 2, "-P", 4,
                           "-r", items, "-q", *command])
        cpu = machine.family_cpu_seconds(stack.pids["redis"]) - before
        result[name] = {"batch": size[name], "server_us": cpu * 1e6 / (calls * size[name]),
                        "client_us": client * 1e6 / (calls * size[name])}
    stack.redis("DEL", *keys, epoch)
    return result


def provider_token(stack):
    """A JWT as Apple wants it, signed with the simulator's key."""
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = encode(json.dumps({"alg": "ES256", "kid": "ABC123DEFG"}).encode())
    claims = encode(json.dumps({"iss": "DEF123GHIJ", "iat": int(time.time())}).encode())
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", stack.dir / "simulator" / "apns-key.p8"],
                         input=head + b"." + claims, check=True, capture_output=True).stdout
    numbers, rest = [], der[2:]  # SEQUENCE of two INTEGERs
    for _ in range(2):
        size = rest[1]
        numbers.append(int.from_bytes(rest[2:2 + size], "big").to_bytes(32, "big"))
        rest = rest[2 + size:]
    return b".".join((head, claims, encode(b"".join(numbers)))).decode()


def dispatch(stack, requests, directory):
    """h2load against the same provider, with valid requests to many devices."""
    base = f"https://127.0.0.1:{stack.apns_port}"
    paths = Path(directory, "uris")
    # The paths of devices of the first users, as push-simulator generates them.
    paths.write_text("".join(f"{base}/3/device/{0:08x}{0:08x}{user:016x}{'a5' * 16}\n" for user in range(1000)))
    payload = Path(directory, "payload")
    payload.write_text(json.dumps({"aps": {"alert": {"title": "Dora Maar", "body": "Are you coming tonight? " * 4}},
                                   "notification_id": "0193b5a0-0000-7000-8000-000000000000"}))
    stack.simulator("POST", "/reset?keep=devices")
    before = machine.cpu_seconds(stack.pids["simulator"])
    command = ["h2load", "-t", 1, "-d", payload, "-i", paths,
               "-H", f"authorization: bearer {provider_token(stack)}", "-H", "apns-topic: com.whispr.app",
               "-H", "apns-push-type: alert", "-H", "apns-priority: 10", "-H", "apns-expiration: 2000000000"]
    printed, client = spent([*command, "-n", requests, "-c", 2, "-m", 500])
    cpu = machine.cpu_seconds(stack.pids["simulator"]) - before
    # Like Apple, the simulator allows one stream until the first success. h2load may have opened more before it
    # knew; those were refused, and a client sends them again (RFC 9113 §8.7).
    refused = requests - stack.simulator("GET", "/stats")["accepted"]
    if refused:
        spent([*command, "-n", refused, "-c", 1, "-m", 1])
    accepted = stack.simulator("GET", "/stats")["accepted"]
    rate = re.search(r"([\d.]+) req/s", printed)
    return {"server_us": cpu * 1e6 / requests, "client_us": client * 1e6 / requests,
            "rate": float(rate[1]) if rate else 0.0, "accepted": accepted, "requests": requests}

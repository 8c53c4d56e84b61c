"""The private stack of a run (scripts/stack), and what the bench asks of its parts."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from . import machine

ROOT = Path(__file__).resolve().parent.parent.parent
PRIORITIES = ("high", "medium", "low")
# fsync, synchronous_commit and autovacuum stay as they are by default: on. The others are sizes that
# servers of this load have; with the defaults the run would measure checkpoints and rewrites of Redis' log.
POSTGRES_ARGS = "-c shared_buffers=1GB -c max_wal_size=8GB"
REDIS_ARGS = "--auto-aof-rewrite-min-size 8gb"


class Redis:
    """As much of RESP as is needed: one command, one reply."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.replies = self.socket.makefile("rb")

    def __call__(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self.read()

    def read(self):
        line = self.replies.readline().rstrip()
        kind, rest = line[:1], line[1:].decode()
        if kind == b"-":
            raise RuntimeError(f"redis: {rest}")
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.replies.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest


class Stack:
    """Started by `with`; everything is below one directory, which goes with it."""

    def __init__(self, workers, say):
        self.bin = Path(os.environ.get("STACK_BIN", ROOT / "build" / "release"))
        self.workers, self.say = workers, say
        self.dir = Path(tempfile.mkdtemp(prefix="nb.", dir="/tmp"))  # short: socket paths are limited
        # A provider that hangs for two minutes is how deliveries are held up, see load.hold_deliveries().
        self.environment = {**os.environ, "STACK_BIN": str(self.bin), "STACK_POSTGRES_ARGS": POSTGRES_ARGS,
                            "STACK_REDIS_ARGS": REDIS_ARGS,
                            "STACK_SIMULATOR_ARGS": "--no-received-log", "NOTIFY_LOG_LEVEL": "warn",
                            "NOTIFY_SERVICE_WORKERS": str(workers), "NOTIFY_APNS_REQUEST_TIMEOUT": "2m",
                            "NOTIFY_SHUTDOWN_TIMEOUT": "3m",
                            "NOTIFY_DEVICES_CACHE_TTL": "30m"}  # warm caches stay warm

    def __enter__(self):
        try:
            self.run("start", self.dir)
            self.read_addresses()
            self.redis = Redis(self.dir / "redis.sock")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.run("stop", self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *arguments, settings=None):
        subprocess.run([ROOT / "scripts" / "stack", *map(str, arguments)], check=True,
                       env={**self.environment, **(settings or {})}, stdin=subprocess.DEVNULL)

    def read_addresses(self):
        lines = (self.dir / "env").read_text().splitlines()
        env = dict(line.split("=", 1) for line in lines)
        self.grpc, self.admin, self.simulator_url = env["NOTIFY_GRPC"], env["NOTIFY_ADMIN"], env["NOTIFY_SIMULATOR"]
        self.pids = {name: int((self.dir / f"{name}.pid").read_text())
                     for name in ("service", "redis", "simulator")}
        self.pids["postgres"] = int((self.dir / "pg" / "data" / "postmaster.pid").read_text().split()[0])
        self.apns_port = json.loads((self.dir / "simulator" / "ports.json").read_text())["apns"]

    def stop_service(self, number=signal.SIGTERM):
        os.kill(self.pids["service"], number)
        wait_until(lambda: machine.has_ended(self.pids["service"]), 60, "the service did not stop")

    def start_service(self, settings=None):
        """`settings`: more environment variables."""
        self.run("service", self.dir, settings=settings)
        self.read_addresses()

    # The parts.

    def simulator(self, method, path, body=None):
        request = urllib.request.Request(self.simulator_url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def psql(self, sql):
        """Rows of texts."""
        done = subprocess.run(
            ["psql", "-h", self.dir / "pg", "-U", "postgres", "-d", "notification", "-XAtq", "-F", "\t",
             "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, capture_output=True, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    @property
    def database_url(self):
        return f"postgresql://postgres@/notification?host={self.dir}/pg"

    def queued(self):
        """Waiting in Redis, and leased."""
        waiting = sum(self.redis("ZCARD", f"notification:queue:{p}") for p in PRIORITIES)
        nodes = self.redis("ZRANGE", "notification:nodes", 0, -1)
        leased = sum(self.redis("HLEN", f"{{notification:queue:{p}}}:inflight:{n}") for p in PRIORITIES for n in nodes)
        return waiting, leased

    def redis_calls(self):
        """Calls that moved items so far, by step: each step's script has one command that no other has."""
        step_of = {"zadd": "enqueue", "smismember": "lease", "srem": "ack"}
        calls = dict.fromkeys(step_of.values(), 0)
        for line in self.redis("INFO", "commandstats").splitlines():
            name, _, rest = line.removeprefix("cmdstat_").partition(":calls=")
            if name in step_of:
                calls[step_of[name]] = int(rest.split(",")[0])
        return calls

    def commits(self):
        """So far; backends tell at most once a second."""
        time.sleep(1.2)
        return int(self.psql("SELECT xact_commit FROM pg_stat_database WHERE datname = 'notification'")[0][0])

    def cpu(self):
        """Seconds so far, by process."""
        return {"service": machine.cpu_seconds(self.pids["service"]),
                "postgres": machine.family_cpu_seconds(self.pids["postgres"]),
                "redis": machine.family_cpu_seconds(self.pids["redis"]),
                "simulator": machine.cpu_seconds(self.pids["simulator"])}

    def rss_mib(self):
        return {name: machine.rss_mib(self.pids[name]) for name in ("service", "redis")}


def wait_until(condition, seconds, complaint):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(complaint)
        time.sleep(0.02)

"""A hundred calls of the aws CLI with a profile of jit, in turn with a hundred by static keys.

.cache/venv/bin/python benches/aws_calls.py [CALLS]

Needs `cargo build --release --workspace`, tests/venv.sh. Everything runs on loopback, with a HOME that is thrown away.
The calls go to S3, so that every call of STS is the backend's. The figure is the median of the differences of pairs.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")) / "release"
VENV = TOP / ".cache/venv/bin"
CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100


def started(command, env, log, line, running):
    """Starts a program and waits for a line of its output; what the line's pattern found."""
    with open(log, "w") as out:
        running.append(subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT))
    end = time.monotonic() + 30
    while not (found := re.search(line, Path(log).read_text())):
        assert running[-1].poll() is None and time.monotonic() < end, Path(log).read_text()
        time.sleep(0.02)
    return found


def timed(profile, env):
    command = [VENV / "aws", "s3api", "list-buckets", "--profile", profile, "--output", "json"]
    begun, before = time.monotonic(), cpu()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - begun) * 1000, (cpu() - before) * 1000


def cpu():
    """Seconds of processor that ended children, and theirs, have taken."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(home, running):
    # without AWS's variables, jit's, and those of the desktop's keyring
    env = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8"}
    aws_env = env | {"AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "0", "LOG_LEVEL": "DEBUG"}
    aws = started([VENV / "ministack"], aws_env, f"{home}/aws.log", r"Running on (http://\S+)", running)[1]
    roles = ["222222222222:jit-dev-admin"]
    subprocess.run([VENV / "python", TOP / "tests/aws_roles.py", aws, *roles], check=True, stdout=subprocess.DEVNULL)
    env |= {"AWS_ENDPOINT_URL": aws, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    serve = [BIN / "jit", "serve", "--dev", "-o", "json", "--data", f"{home}/data", "--listen", "127.0.0.1:0"]
    root = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    hello = json.loads(started(serve, env | root, f"{home}/jit.log", r'\{"schema":"jit/serve/1".*\}', running)[0])
    code = next(person["code"] for person in hello["people"] if person["name"] == "alice")
    for args in (
        ["login", "--server", hello["url"], "--identity", "alice", "--code", code],
        ["request", "dev-admin", "--for", "4h", "--reason", "a hundred calls"],
        ["setup", "dev-admin", "--yes"],
    ):
        subprocess.run([BIN / "jit", "--quiet", *args], env=env, check=True, stdin=subprocess.DEVNULL)
    keys = "[static]\naws_access_key_id = 222222222222\naws_secret_access_key = test\n"
    Path(home, ".aws/credentials").write_text(keys)
    for profile in ("static", "jit-dev-admin"):
        timed(profile, env)
    pairs = []
    for at in range(CALLS):
        order = ("static", "jit-dev-admin") if at % 2 else ("jit-dev-admin", "static")
        took = {profile: timed(profile, env) for profile in order}
        pairs.append((took["static"], took["jit-dev-admin"]))
    static, ours = (statistics.median(wall for wall, _ in times) for times in zip(*pairs))
    wall, processor = (statistics.median(ours[at] - plain[at] for plain, ours in pairs) for at in (0, 1))
    # one of them checked, when the request was approved
    calls = Path(home, "aws.log").read_text().count(" -> service=sts ")
    print("| calls each | static keys p50, ms | profile of jit p50, ms | added a call, ms | of processor | STS calls |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(f"| {CALLS} | {static:.0f} | {ours:.0f} | {wall:.1f} | {processor:.1f} | {calls} |")


with tempfile.TemporaryDirectory(prefix="jit-bench-") as folder:
    programs = []
    try:
        main(folder, programs)
    finally:
        for program in programs:
            program.terminate()
            program.wait()

"""Runs one command and leaves nothing of it behind.

The harness holds the other end of this script's standard input. When that closes (the harness
dropped the process, or was itself ended in whatever way, SIGKILL included) the command is asked to
end, then everything that it started is killed, then its directories are removed. Only one argument:
the order, as JSON.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

order = json.loads(sys.argv[1])
LINUX = sys.platform.startswith("linux")


def descendants():
    """Every process below this one. Orphans count: they are re-parented to this script."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [os.getpid()]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def reap():
    """Collects what has ended; returns the command's own exit code once it is known."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == command.pid:
            command.returncode = code = os.waitstatus_to_exitcode(status)


def kill_all():
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(command.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        remaining = descendants() if LINUX else []
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        if not remaining:
            return
        time.sleep(0.005)


def wait_until(stop_at, stdin):
    """The command's exit code, or None when it is to be ended."""
    watched = [waker] + ([0] if stdin else [])
    while True:
        code = reap()
        if code is not None or ending:
            return code
        left = None if stop_at is None else stop_at - time.monotonic()
        if left is not None and left <= 0:
            return None
        ready, _, _ = select.select(watched, [], [], left)
        if waker in ready:
            os.read(waker, 512)
        if 0 in ready and not os.read(0, 512):
            return None


# Not the terminal's business: Ctrl-C ends the harness, which closes the pipe.
for name in ("SIGINT", "SIGHUP", "SIGPIPE"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
signal.signal(signal.SIGCHLD, lambda *_: None)
waker, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
if LINUX:
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

uid = order.get("uid")
identity = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
exit_code = 127
try:
    started = time.time_ns()
    command = subprocess.Popen(
        order["command"], env=order["env"], cwd=order.get("directory"), stdin=subprocess.DEVNULL,
        start_new_session=True, restore_signals=True, **identity,
    )
    print(json.dumps({"pid": command.pid, "started": started}), flush=True)
except OSError as error:
    print(json.dumps({"error": str(error)}), flush=True)
else:
    code = wait_until(None, stdin=True)
    if code is None:
        ending.clear()
        try:
            os.kill(command.pid, getattr(signal, order.get("signal", "SIGTERM")))
        except ProcessLookupError:
            pass
        code = wait_until(time.monotonic() + order.get("grace", 2), stdin=False)
    kill_all()
    exit_code = 0 if code is None else code if code >= 0 else 128 - code
finally:
    for path in order.get("remove", []):
        shutil.rmtree(path, ignore_errors=True)
# Daemon-like exit: flushing is done, and the interpreter's own teardown is not needed.
os._exit(exit_code)

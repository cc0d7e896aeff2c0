# SPDX-License-Identifier: GPL-2.0-or-later
"""
KTAP output for the selftests written in Python: a script registers its cases,
run() prints the plan, runs them in order and exits as kselftest expects. A case
is a function; it fails by raising. Owns nothing about networking.
"""
import os
import sys
import time
import traceback

CASES = []
# For kernels that look at themselves: fewer rounds of the same (0.1: a tenth), and how many
# times longer what will come may take.
SCALE = float(os.environ.get("SELFTEST_SCALE") or 1)
SLOW = float(os.environ.get("SELFTEST_SLOW") or 1)


class Failure(Exception):
    """What was expected did not hold; the text names both sides."""


def scaled(count, least=1):
    """A number of rounds or packets, as many as this run is to make; never a case less."""
    return max(least, round(count * SCALE))


def case(name, *args, **kwargs):
    """Decorator: registers a function, several times if stacked with other arguments."""
    def register(func):
        CASES.insert(register.at, (name, func, args, kwargs))
        return func
    register.at = len(CASES)
    return register


def add(name, func, *args, **kwargs):
    """Registers one case of a table."""
    CASES.append((name, func, args, kwargs))


def diag(text):
    """Diagnostic lines; never at the start of a result."""
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def check(condition, text):
    """The test's assertion: unlike assert it cannot be compiled away."""
    if not condition:
        raise Failure(text)


def equal(got, want, what):
    """Says both values when they differ."""
    if got != want:
        raise Failure(f"{what}: got {got!r}, expected {want!r}")


def wait_for(what, probe, deadline=120.0):
    """
    Calls probe until it returns something true and returns that. The deadline is far beyond
    what a slow machine needs; it turns a hang into a failure.
    """
    deadline *= SLOW
    end = time.monotonic() + deadline
    pause = 0.0005
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {deadline:.0f} s, last {got!r}")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def skip_all(why):
    """This kernel truly lacks what the whole script is about: says so and exits."""
    print(f"TAP version 13\n1..0 # SKIP {why}", flush=True)
    sys.exit(4)


def run(setup=None, teardown=None):
    """
    Runs all cases in order and exits. setup() before the first, teardown() after the last,
    even after failures; both count as a case of their own.
    """
    todo = list(CASES)
    if setup:
        todo.insert(0, ("the test bed is up", setup, (), {}))
    if teardown:
        todo.append(("everything made is unmade", teardown, (), {}))
    only = os.environ.get("ONLY")
    if only:
        ends = [t for t in todo if t[1] in (setup, teardown)]
        todo = [t for t in todo if t in ends or only in t[0]]
    print("TAP version 13", flush=True)
    print(f"1..{len(todo)}", flush=True)
    failed = 0
    bed_up = True
    begin = time.monotonic()
    for number, (name, func, args, kwargs) in enumerate(todo, 1):
        started = time.monotonic()
        try:
            check(bed_up, "not run: the test bed is not up")
            bed_up = func != setup      # until it returns
            func(*args, **kwargs)
            bed_up = True
        except KeyboardInterrupt:
            raise
        except Failure as err:
            failed += 1
            print(f"not ok {number} {name}")
            diag(err)
            where = traceback.extract_tb(err.__traceback__)
            diag("at " + " < ".join(f"{f.name}:{f.lineno}" for f in reversed(where[1:])))
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} {name}")
            diag(traceback.format_exc())
        else:
            print(f"ok {number} {name}")
        if os.environ.get("TIMES"):
            diag(f"{time.monotonic() - started:.1f} s")
        sys.stdout.flush()
    diag(f"{len(todo) - failed} passed, {failed} failed, {time.monotonic() - begin:.0f} s")
    sys.exit(1 if failed else 0)

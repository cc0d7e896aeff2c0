# SPDX-License-Identifier: GPL-2.0-or-later
"""
Counting of test results, shared by everything that runs tests on the host: reads KTAP,
turns each way of going wrong (a missing plan, too few results, a bad exit status) into a
failed case, prints the final line. Runs nothing itself.
"""
import re
import time

RESULT = re.compile(r"^(not ok|ok)\b\s*(\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(#.*)?$")
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")
EXIT_SKIP = 4           # kselftest: the whole program was skipped


class Tally:
    """Cases by outcome; failures keep what is worth showing."""
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, good, name, detail=""):
        """One case."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append((name, detail))
        return good

    def merge(self, other):
        """All cases of another tally."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def summary(self):
        """The line that ends every run."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def tally_ktap(name, text, status):
    """Counts the top-level results of one program's KTAP output and its exit status."""
    tally = Tally()
    plan, seen, failing = None, 0, None
    for line in text.splitlines():
        match = PLAN.match(line)
        if match:
            plan = int(match.group(1))
            continue
        match = RESULT.match(line)
        if match:
            seen += 1
            failing = None
            verdict, _, description = match.groups()
            if "# SKIP" in description:
                tally.skipped += 1
            elif not tally.add(verdict == "ok", f"{name}: {description}"):
                failing = len(tally.failures) - 1
        elif failing is not None and line.startswith("#"):
            case, detail = tally.failures[failing]
            tally.failures[failing] = (case, detail + line + "\n")
    tail = "\n".join(text.splitlines()[-15:])
    if status == EXIT_SKIP and not seen:
        tally.skipped += 1
    elif plan is None:
        tally.add(False, f"{name}: no plan: the program did not finish (status {status})", tail)
    elif plan != seen:
        tally.add(False, f"{name}: planned {plan} cases, reported {seen} (status {status})", tail)
    elif status and not tally.failed:
        tally.add(False, f"{name}: exit status {status} although no case failed", tail)
    return tally


def tally_summary(text):
    """The counts of a program that ends with a summary line; None when it has none."""
    lines = text.rstrip().splitlines()
    match = SUMMARY.match(lines[-1]) if lines else None
    if not match:
        return None
    tally = Tally()
    tally.passed, tally.failed, tally.skipped = map(int, match.groups())
    return tally


class Stopwatch:
    """Seconds since it was made, for progress lines."""
    def __init__(self):
        self.start = time.monotonic()

    def __str__(self):
        return f"{time.monotonic() - self.start:.0f} s"

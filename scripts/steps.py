# SPDX-License-Identifier: GPL-2.0-or-later
"""
Steps that make check and make matrix share: commands whose output is kept, the module built
for one kernel, sparse over it, the kselftests on it. Counts into a Tally; prints nothing but
what the tests report while they run.
"""
import os
import pathlib
import re
import subprocess

from results import tally_summary

TOP = pathlib.Path(__file__).resolve().parent.parent
KERNEL = os.environ.get("KERNEL", "")   # as for scripts/vm-kernel; "" for its default


def run(command, log, limit=None, env=None):
    """Runs a command, keeps all its output in a log; returns status and output."""
    try:
        done = subprocess.run(command, cwd=TOP, text=True, errors="replace", timeout=limit,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, **(env or {})})
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as err:
        status, output = 124, (err.stdout or b"").decode(errors="replace")
        output += f"\nover the limit of {limit} s\n"
    log.write_text(output)
    return status, output


def one(tally, name, command, log, **kwargs):
    """A case that is one command: good when it exits with 0."""
    status, output = run(command, log, **kwargs)
    return tally.add(status == 0, name, "\n".join(output.splitlines()[-40:]))


def release(kernel=KERNEL):
    """The release of a kernel that is named as for scripts/vm-kernel."""
    return subprocess.run(["scripts/vm-kernel", "--version", kernel], cwd=TOP, text=True,
                          check=True, stdout=subprocess.PIPE).stdout.strip()


def build_module(tally, logs, kernel=KERNEL):
    """The module, with warnings as errors."""
    return one(tally, "the module builds without a warning",
               ["make", "-j2", "module", f"KERNEL={kernel}", "KFLAGS=KCFLAGS=-Werror"],
               logs / "module.log")


def sparse(tally, logs, kernel=KERNEL):
    """Sparse over the module, in a build folder of its own so that it sees every file."""
    out = TOP / "build/sparse" / release(kernel)
    subprocess.run(["rm", "-rf", out], check=True)
    status, output = run(["make", "module", f"KERNEL={kernel}", f"KBUILD_OUT={out}",
                          "KFLAGS=C=2 CF=-D__CHECK_ENDIAN__"], logs / "sparse.log")
    # The distribution's headers have findings of their own; ours must have none.
    ours = [line for line in output.splitlines()
            if re.match(rf"({re.escape(str(out))}/)?\w+\.[ch]:.* (warning|error): ", line)]
    return tally.add(status == 0 and "CHECK " in output and not ours,
                     "sparse has nothing to say", "\n".join(ours or output.splitlines()[-20:]))


def selftests(tally, words):
    """selftests/run with these arguments; shows its progress and adds its counts."""
    command = ["setpriv", "--pdeathsig", "TERM", TOP / "selftests/run", *words]
    with subprocess.Popen(command, cwd=TOP, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if not re.match(r"\d+ passed, ", line):
                print(line, end="", flush=True)
    found = tally_summary("".join(lines))
    if found is None:
        tally.add(False, "selftests/run ended with a summary", "".join(lines[-20:]))
        return
    if process.returncode and not found.failed:
        found.add(False, "selftests/run", f"exit status {process.returncode}")
    # selftests/run has shown its failures already.
    tally.merge(found)

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 1800 s
"""
Allocations that fail, on a kernel with fault injection: first each allocation of each
request once, then some of all that the module makes while packets flow and everything
changes. A request fails with "out of memory" and leaves nothing; a packet is dropped under a
name; when memory is back, all is well. Only allocations with the module on the call stack
fail: this is not a test of the rest of the kernel. Distributions' kernels have no fault
injection: there it is skipped.
"""
import errno
import os
import threading

import storm
from bed import ESPTUN_KO, drops, reconcile, flow, sh
from ends import A_OUT, B_OUT
from gateways import ALGS, Chaos, Gateways, processor, rounds
from ktap import Failure, add, case, check, diag, run, skip_all, wait_for
from nl import NLM_F_CREATE, Refused
from sa import Sa
from storm import stop_all, traffic

BED = {}
DEBUGFS = "/sys/kernel/debug"
# Where modules are loaded, be it at a fixed place or not; this kernel has no other module.
MODULES = (0xffffffffa0000000, 0xffffffffff000000)
NO_MEMORY = (errno.ENOMEM, errno.ENOBUFS)
MOST = 400              # no request has more allocations than this


class Faults:
    """The kernel's fault injection for slab objects and pages."""
    KINDS = ("failslab", "fail_page_alloc")

    @staticmethod
    def write(kind, name, value):
        """One of its controls."""
        with open(f"{DEBUGFS}/{kind}/{name}", "w", encoding="ascii") as f:
            f.write(str(value))

    def __init__(self):
        for kind in self.KINDS:
            for name, value in (("probability", 0), ("interval", 1), ("space", 0), ("verbose", 0),
                                ("task-filter", "N"), ("ignore-gfp-wait", "N"),
                                ("stacktrace-depth", 32), ("times", 1 << 30),
                                ("require-start", f"{MODULES[0]:#x}"),
                                ("require-end", f"{MODULES[1]:#x}")):
                self.write(kind, name, value)
        self.write("fail_page_alloc", "min-order", 0)

    def percent(self, probability):
        """So many of all allocations fail from now on; 0 ends it."""
        for kind in self.KINDS:
            self.write(kind, "probability", probability)

    @property
    def injected(self):
        """How many have failed so far."""
        count = 0
        for kind in self.KINDS:
            with open(f"{DEBUGFS}/{kind}/times", encoding="ascii") as f:
                count += (1 << 30) - int(f.read())
        return count

    @staticmethod
    def nth(number):
        """The number-th allocation of this thread from now on fails; 0 takes it back."""
        with open(f"/proc/self/task/{threading.get_native_id()}/fail-nth", "r+",
                  encoding="ascii") as f:
            left = int(f.read())
            f.seek(0)
            f.write(str(number))
        return left


def setup():
    """Two gateways with esptun and all knobs of fault injection."""
    BED["g"] = Gateways()
    BED["faults"] = Faults()


def sweep(name, request, undo):
    """
    Calls request() with its first allocation failing, then with its second, until it has no
    more. It must fail for want of memory or succeed; undo() leaves the state before it.
    """
    faults = BED["faults"]
    failed = tolerated = 0
    for number in range(1, MOST):
        faults.nth(number)
        try:
            request()
            good = True
        except Refused as err:
            good = False
            if err.errno not in NO_MEMORY:
                faults.nth(0)
                raise Failure(f"{name}: with allocation {number} failing: {err}") from err
        left = faults.nth(0)
        undo(good)
        if left:
            check(good, f"{name}: refused although no allocation failed")
            diag(f"{name}: {number - 1} allocations, {failed} of them refused the request, "
                 f"{tolerated} did not")
            return number - 1
        failed += not good
        tolerated += good
    raise Failure(f"{name}: more than {MOST} allocations")


def expect_sas(count):
    """No SA is left over: counted where they live."""
    g = BED["g"]
    wait_for(f"{count} SAs", lambda: g.alive()[1] == count)


@case("each allocation of a new device fails once")
def sweep_newlink():
    g = BED["g"]

    def undo(good):
        status, _, said = sh(f"ip -n {g.a.name} link del t0", ok=False)
        check((status == 0) == good, f"made: {good}, deleted: {said.strip()}")
    count = sweep("newlink", lambda: g.a.rtnl.newlink("t0", local4=A_OUT, remote4="192.0.2.9"),
                  undo)
    check(count > 5, f"only {count} allocations")
    wait_for("two devices", lambda: g.alive()[0] == 2)


@case("each allocation of a change of options fails once")
def sweep_changelink():
    g = BED["g"]
    sweep("changelink", lambda: g.a.rtnl.newlink("esp0", flags=NLM_F_CREATE, ttl=7), lambda _: None)
    g.a.rtnl.newlink("esp0", flags=NLM_F_CREATE, ttl=64)


def sweep_sa(alg, direction):
    """sa-new, and what is left of it when it was refused."""
    g = BED["g"]
    before = g.alive()[1]
    index = g.a.index("esp0")
    made = []

    def request():
        made.append(Sa(A_OUT, B_OUT, alg))
        g.a.genl.do("sa-new", ifindex=index, **made[-1].values(direction))

    def undo(good):
        shown = [s["spi"] for s in g.a.genl.dump("sa-get", ifindex=index)]
        check((made[-1].spi in shown) == good, f"made: {good}, shown: {shown}")
        if good:
            made[-1].delete(g.a, "esp0", direction)
    count = sweep(f"sa-new {direction} {alg}", request, undo)
    check(count > 3, f"only {count} allocations")
    expect_sas(before)


for each in ALGS:
    for way in ("in", "out"):
        add(f"each allocation of a new SA fails once: {way}, {each}", sweep_sa, each, way)


@case("each allocation of the other requests fails once")
def sweep_rest():
    g = BED["g"]
    g.flush()
    index = g.a.index("esp0")
    ask = g.a.genl

    def pending():
        sa = Sa(A_OUT, B_OUT)
        sa.install(g.a, "esp0", "out", state="pending")
        return sa
    sas = [pending()]

    def again(_):
        """Whatever was done to it, there is one pending SA."""
        g.a.genl.do("sa-flush", ifindex=index)
        sas[0] = pending()

    sweep("sa-activate", lambda: ask.do("sa-activate", ifindex=index, spi=sas[0].spi), again)
    sweep("sa-del", lambda: ask.do("sa-del", ifindex=index, dir="out", spi=sas[0].spi), again)
    sweep("sa-flush", lambda: ask.do("sa-flush", ifindex=index), again)
    sweep("sa-get", lambda: ask.do("sa-get", ifindex=index, dir="out", spi=sas[0].spi),
          lambda _: None)
    sweep("sa-get dump", lambda: ask.dump("sa-get", ifindex=index), lambda _: None)
    sweep("tunnel-get", lambda: ask.do("tunnel-get", ifname="esp0"), lambda _: None)
    sweep("tunnel-get dump", lambda: ask.dump("tunnel-get"), lambda _: None)
    sweep("sa-alloc-spi", lambda: ask.do("sa-alloc-spi", ifindex=index), lambda _: None)
    sweep("module-get", lambda: ask.do("module-get"), lambda _: None)
    g.rebuild()


@case("each allocation of the module's start fails once")
def sweep_load():
    g, faults = BED["g"], BED["faults"]
    g.unload()
    refused = 0
    for number in range(1, MOST):
        # The shell becomes insmod: the same task, so the number stays with it.
        status, _, said = sh(f"echo {number} > /proc/self/fail-nth && exec insmod {ESPTUN_KO}",
                             ok=False)
        if status == 0:
            sh("rmmod esptun")
            if number > refused + 20:       # some may fail and do no harm
                break
        else:
            check("Cannot allocate memory" in said or "No buffer space" in said, said)
            refused += 1
    else:
        raise Failure(f"more than {MOST} allocations")
    diag(f"{refused} allocations refused the module")
    check(refused > 5, f"only {refused} refused it")
    faults.percent(0)
    g.load()
    for side in g.sides():
        g.make(side)
    g.keys()
    g.rebuild()


def packets(percent):
    """Packets while allocations fail: each is received, or dropped under a name."""
    g, faults = BED["g"], BED["faults"]
    for alg in ALGS:
        g.flush()
        g.keys(alg)
        before = flow(g.a, "esp0", g.b, "esp0"), flow(g.b, "esp0", g.a, "esp0")
        was = faults.injected
        flows = traffic(g.ha, g.hb)
        try:
            faults.percent(percent)
            wait_for("failures", lambda w=was: faults.injected > w + rounds(50))
            for worker in flows:
                worker.progress(rounds(20))
        finally:
            faults.percent(0)
            stop_all(flows)
        diag(f"{alg}: {faults.injected - was} allocations failed, drops {drops(g.a, 'esp0')}")
        reconcile(g.a, "esp0", g.b, "esp0", before[0])
        reconcile(g.b, "esp0", g.a, "esp0", before[1])
    g.rebuild()


for share in (1, 5, 10):
    add(f"packets with {share} % of the allocations failing: received or dropped by name",
        packets, share)


def all_at_once(percent):
    """Packets, requests, devices and a processor while allocations fail."""
    g, faults = BED["g"], BED["faults"]
    storm.RACE.update(NO_MEMORY)
    was = faults.injected
    workers = traffic(g.ha, g.hb) + [g.beside(f"chaos {i}", Chaos(g, i)) for i in range(3)]
    try:
        faults.percent(percent)
        for _ in range(rounds(3)):
            for on in (False, True):
                try:
                    processor(on)
                except OSError as err:          # its own threads want memory, too
                    check(err.errno in NO_MEMORY, str(err))
                for worker in workers:
                    worker.progress(4)
    finally:
        faults.percent(0)
        processor(True)
        stop_all(workers)
    diag(f"{faults.injected - was} allocations failed")
    g.rebuild()


for share in (1, 5, 10):
    add(f"everything at once with {share} % of the allocations failing", all_at_once, share)


def ends():
    """Nothing leaked although so much failed."""
    BED["faults"].percent(0)
    BED["g"].end()


if not os.path.isdir(f"{DEBUGFS}/failslab"):
    skip_all("the kernel has no fault injection (CONFIG_FAILSLAB)")
run(setup, ends)

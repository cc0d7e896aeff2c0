#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes the benchmark's figures from what the VM and the counting plugin left behind: a list
of JSON objects, a table, and profiles (instructions per packet and function). Measures
nothing; performance.py draws from the JSON.
"""
import argparse
import bisect
import json
import pathlib
import re
import sys

# Crypto is the ciphers and the kernel's crypto API around them.
CRYPTO_MODULES = re.compile(r"aesni_intel|aes_x86|crypto_simd|cryptd|ghash|seqiv|gcm|ccm|ctr|cbc|"
                            r"authenc|echainiv|lib(aes|chacha|poly1305|blake2s|curve25519)|"
                            r"(chacha|poly1305|blake2s|curve25519)_|chacha20poly1305|sha\d")
CRYPTO_SYMBOLS = re.compile(r"crypto_|scatterwalk_|skcipher_|aead_|kernel_fpu_|irq_fpu_|gf128mul|"
                            r"aes_|blake2s|simd_")
ALLOCATORS = {"kmem_cache_alloc", "kmem_cache_alloc_node", "kmem_cache_alloc_lru", "__kmalloc",
              "__kmalloc_node", "__kmalloc_node_track_caller", "kmalloc_trace",
              "kmalloc_node_trace", "page_frag_alloc_align", "__alloc_pages"}
# A line of a trace histogram: who allocated, and how much in all.
ALLOC_SITE = re.compile(r"call_site: \[[0-9a-f]+\] (\S+).*bytes_alloc: *(\d+)")
# Those whose memory lives as long as a transform.
TRANSFORM = re.compile(r"crypto_(create|alloc|clone)_|gf128mul_init")
KERNEL = 1 << 63


class Symbols:
    """Which function an address belongs to, by one boot's /proc/kallsyms."""
    def __init__(self, path):
        found = {}
        for line in path.read_text().splitlines():
            words = line.split()
            if words[1] not in "tTwW":
                continue
            module = words[3].strip("[]") if len(words) > 3 else ""
            addr = int(words[0], 16)
            # Of several names at one address the first global one stays.
            if addr not in found or words[1] == "T":
                found.setdefault(addr, (words[2], module))
        self.addr = sorted(found)
        self.names = [found[a] for a in self.addr]

    def at(self, addr):
        """(function, module, is its first instruction); ("user", "", False) below the kernel."""
        if addr < KERNEL:
            return "(user space)", "", False
        i = bisect.bisect_right(self.addr, addr) - 1
        if i < 0:
            return "(unknown)", "", False
        return *self.names[i], self.addr[i] == addr


def is_crypto(name, module):
    """Whether a function counts as crypto."""
    if module:
        return bool(CRYPTO_MODULES.match(module))
    return bool(CRYPTO_SYMBOLS.match(name))


class Profile:
    """One window: what was executed, by function."""
    def __init__(self, path, symbols):
        self.insns, self.calls, self.locked = {}, {}, {}
        for line in path.read_text().splitlines():
            addr, insns, execs, locked = line.split()
            name, module, first = symbols.at(int(addr, 16))
            key = (name, module)
            self.insns[key] = self.insns.get(key, 0) + int(insns)
            self.locked[key] = self.locked.get(key, 0) + int(locked)
            if first:
                self.calls[key] = self.calls.get(key, 0) + int(execs)

    def total(self):
        """Instructions of the window."""
        return sum(self.insns.values())

    def crypto(self):
        """Those of the ciphers and the crypto API."""
        return sum(n for key, n in self.insns.items() if is_crypto(*key))

    def kernel_locked(self):
        """Locked instructions of the kernel."""
        return sum(n for key, n in self.locked.items() if key[0] != "(user space)")

    def allocations(self):
        """Calls of the memory allocators."""
        return sum(n for key, n in self.calls.items() if key[0] in ALLOCATORS and not key[1])


class Run:
    """The directory of one run: raw lines, windows, symbols."""
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.raw = [json.loads(line) for line in (self.dir / "raw").read_text().splitlines()]
        self.meta = json.loads((self.dir / "meta").read_text())
        self.symbols = {}

    def profile(self, line):
        """The profile of one raw line."""
        peer = line["peer"]
        if peer not in self.symbols:
            self.symbols[peer] = Symbols(self.dir / f"symbols.{peer}")
        return Profile(self.dir / f"window.{line['window']}", self.symbols[peer])

    def cpu(self, window, vcpu):
        """What one virtual CPU executed in a window of its own."""
        return int((self.dir / f"cpu.{window}.{vcpu}").read_text())

    def transforms(self, line):
        """Octets of each tunnel that are the crypto API's transforms and what they hold."""
        path = self.dir / f"alloc.{line['peer']}"
        sites = {}
        for name, octets in ALLOC_SITE.findall(path.read_text()) if path.exists() else ():
            if TRANSFORM.match(name):
                sites[name] = int(octets) / line["tunnels"]
        return rounded(sum(sites.values()))

    def find(self, scenario, peer):
        """The raw line of one scenario and peer."""
        for line in self.raw:
            if (line["scenario"], line["peer"]) == (scenario, peer):
                return line
        sys.exit(f"report: not measured: {scenario} {peer}")


def rounded(value, digits=0):
    """None stays None."""
    return value if value is None else round(value, digits) if digits else int(round(value))


FIELDS = ("instr_per_packet", "added_over_plain", "crypto", "mbit_per_ginstr", "ratio_to_xfrmi",
          "ratio_to_wireguard", "locked", "allocations")


def two_cpus(run, line):
    """
    Instructions per packet and CPU, sending alone and in company, of the round in the middle
    of those ordered by their relation. CPUs execute as many instructions in a second whether
    others do or not, so two send twice as much unless a packet costs more in company.
    """
    rounds = []
    for i in range(line["rounds"]):
        first = line["window"] + 4 * i
        alone = (run.cpu(first, 0) + run.cpu(first + 1, 1)) / 2
        both = (run.cpu(first + 2, 0) + run.cpu(first + 2, 1)) / 2
        rounds.append((2 * alone / both, alone / line["packets"], both / line["packets"]))
    scaling, alone, both = sorted(rounds)[len(rounds) // 2]
    return {"scenario": line["scenario"], "peer": line["peer"], **dict.fromkeys(FIELDS),
            "instr_per_packet": both, "alone": rounded(alone), "two_cpus": round(scaling, 2)}


def one_record(run, line):
    """What a single window says, without its relation to others."""
    if line["mode"] == "smp":
        return two_cpus(run, line)
    if line["mode"] == "memory":
        return {"scenario": line["scenario"], "peer": line["peer"], **dict.fromkeys(FIELDS),
                "octets_each": line["octets_each"], "octets_tfm": run.transforms(line)}
    profile = run.profile(line)
    # Packets, or for a stream the segments' worth of payload: unknown, so none.
    packets = line["packets"] or None
    tally = profile.total()
    if line["mode"] == "scale":
        # Requests wait for work queues meanwhile, and somebody is kept awake for that:
        # only what the kernel executed counts.
        tally -= profile.insns.get(("(user space)", ""), 0)
        line["instructions"] = tally
    if abs(tally - line["instructions"]) > 0.02 * line["instructions"] + 20000:
        sys.exit(f"report: {line['scenario']} {line['peer']}: clock counted {line['instructions']} "
                 f"instructions, plugin {tally}: one of them is wrong")
    per = (lambda n: n / packets) if packets else (lambda n: None)
    record = {
        "scenario": line["scenario"], "peer": line["peer"],
        "instr_per_packet": per(line["instructions"]),
        "added_over_plain": None,
        "crypto": profile.crypto() / (packets or line["bytes"] / 1000),
        "mbit_per_ginstr": line["bytes"] * 8000 / line["instructions"],
        "ratio_to_xfrmi": None, "ratio_to_wireguard": None,
        "locked": per(profile.kernel_locked()),
        "allocations": per(profile.allocations()),
    }
    if line.get("memory"):
        record["octets_each"] = line["memory"]
    return record


def relate(records):
    """Fills in what a record says in relation to plain forwarding and to the peers."""
    at = {(r["scenario"], r["peer"]): r for r in records}
    for r in records:
        plain = at.get((r["scenario"], "plain"))
        if plain and r["instr_per_packet"] is not None:
            r["added_over_plain"] = r["instr_per_packet"] - plain["instr_per_packet"]
    for r in records:
        for field, other in (("ratio_to_xfrmi", "xfrmi"), ("ratio_to_wireguard", "wireguard")):
            o = at.get((r["scenario"], other))
            if not o or r["peer"] == "plain" or "two_cpus" in r or "octets_each" in r:
                continue
            what = "added_over_plain" if r["instr_per_packet"] is not None else "mbit_per_ginstr"
            if r[what] is not None and o[what]:
                r[field] = r[what] / o[what]
    return records


def records_of(run):
    """All records of a run, as they go into the JSON."""
    records = relate([one_record(run, line) for line in run.raw])
    for r in records:
        for field in ("instr_per_packet", "added_over_plain", "crypto"):
            r[field] = rounded(r[field])
        for field in ("mbit_per_ginstr", "locked", "allocations"):
            r[field] = rounded(r[field], 1)
        for field in ("ratio_to_xfrmi", "ratio_to_wireguard"):
            r[field] = rounded(r[field], 3)
        r.update(run.meta)
    return records


COLUMNS = (("scenario", "scenario", "<14"), ("peer", "peer", "<15"),
           ("instr_per_packet", "instr/pkt", ">10"), ("added_over_plain", "added", ">8"),
           ("crypto", "crypto", ">7"), ("locked", "locked", ">7"), ("allocations", "allocs", ">7"),
           ("mbit_per_ginstr", "Mbit/Ginstr", ">12"), ("ratio_to_xfrmi", "/xfrmi", ">8"),
           ("ratio_to_wireguard", "/WireGuard", ">11"))


def table(records):
    """The records as text, scenarios together."""
    out = ["".join(f"{head:{form}}" for _, head, form in COLUMNS)]
    order = list(dict.fromkeys(r["scenario"] for r in records))
    for scenario in order:
        for r in records:
            if r["scenario"] == scenario:
                out.append("".join(f"{'-' if r[f] is None else r[f]!s:{form}}" for f, _, form in COLUMNS))
    return "\n".join(out)


def profile_table(run, scenario, peers, least):
    """Instructions per packet (or per 1000 octets of a stream) and function, peers beside each other."""
    profiles, units = [], []
    for peer in peers:
        line = run.find(scenario, peer)
        profiles.append(run.profile(line))
        units.append(line["packets"] or line["bytes"] / 1000)
    keys = {k for p in profiles for k in p.insns}
    rows = []
    for key in keys:
        cells = [(p.insns.get(key, 0) / u, p.calls.get(key, 0) / u, p.locked.get(key, 0) / u)
                 for p, u in zip(profiles, units)]
        if max(c[0] for c in cells) >= least:
            rows.append((cells, key))
    rows.sort(key=lambda r: -r[0][0][0])
    head = "".join(f"{p:>14} calls lock" for p in peers)
    out = [f"{scenario}: instructions per {'packet' if run.find(scenario, peers[0])['packets'] else '1000 octets'}",
           f"{head}  function"]
    for cells, (name, module) in rows:
        text = "".join(f"{i:14.1f} {c:5.1f} {k:4.1f}" for i, c, k in cells)
        out.append(f"{text}  {name}{f' [{module}]' if module else ''}")
    out.append("".join(f"{p.total() / u:14.1f} {'':5} {p.kernel_locked() / u:4.1f}"
                       for p, u in zip(profiles, units)) + "  all")
    return "\n".join(out)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("run", help="directory that scripts/bench left behind")
    parser.add_argument("--json", metavar="FILE", help="write the records there")
    parser.add_argument("--profile", metavar="SCENARIO", help="print a profile instead of the table")
    parser.add_argument("--peers", default="esptun,xfrmi", help="of the profile")
    parser.add_argument("--least", type=float, default=20, help="leave out functions below N instructions")
    args = parser.parse_args()
    run = Run(args.run)
    if args.profile:
        print(profile_table(run, args.profile, args.peers.split(","), args.least))
        return
    records = records_of(run)
    if args.json:
        pathlib.Path(args.json).write_text(
            "[\n" + ",\n".join(json.dumps(r) for r in records) + "\n]\n")
    print(table(records))


if __name__ == "__main__":
    main()

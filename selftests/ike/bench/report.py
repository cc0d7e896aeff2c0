#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes scripts/bench-ike's table and JSON out of its lines. Measures nothing."""
import argparse
import json
import pathlib


def objects(text):
    """One object for each line: method, responder, peers, bare us, CPU ns, wall ms, kB, kB."""
    found = []
    for line in text.splitlines():
        method, responder, *numbers = line.split()
        peers, bare, cpu, wall, before, after = map(float, numbers)
        found.append({"method": method, "responder": responder, "negotiations": int(peers),
                      "cpu_us": round(cpu / peers / 1000, 1), "bare_us": bare,
                      "per_second": round(peers / wall * 1000, 1),
                      "kb_before": int(before), "kb_after": int(after),
                      "kb_per_peer": round((after - before) / peers, 1)})
    theirs = {o["method"]: o["cpu_us"] for o in found if o["responder"] == "strongswan"}
    for o in found:
        o["ratio_to_bare"] = round(o["cpu_us"] / o["bare_us"], 2)
        if theirs.get(o["method"]):
            o["ratio_to_strongswan"] = round(o["cpu_us"] / theirs[o["method"]], 2)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="write JSON there")
    args = parser.parse_args()
    found = objects(args.lines.read_text())
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")
    row = "{:<14}{:<12}{:>10}{:>10}{:>8}{:>14}{:>8}{:>10}{:>12}"
    print(row.format("method", "responder", "CPU us", "bare us", "x bare", "x strongSwan", "per s",
                     "kB/peer", "kB in all"))
    for o in found:
        print(row.format(o["method"], o["responder"], o["cpu_us"], o["bare_us"], o["ratio_to_bare"],
                         o.get("ratio_to_strongswan", "-"), o["per_second"], o["kb_per_peer"],
                         o["kb_after"]))


if __name__ == "__main__":
    main()

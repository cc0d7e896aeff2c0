#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Puts the benchmark's JSON into Documentation/performance.md (the part between the two marks;
the words around it stay) and draws Documentation/performance.svg. Computes no figure.
"""
import argparse
import json
import pathlib
import sys
from xml.sax.saxutils import escape

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NAMES = {"plain": "plain", "ipip": "ipip", "ip_vti": "ip_vti", "xfrmi": "xfrmi",
         "xfrmi_offload": "xfrmi + esp4_offload",
         "xfrmi_beside": "xfrmi beside esptun", "wireguard": "WireGuard", "esptun": "esptun",
         "esptun_udp": "esptun in UDP"}
KINDS = (("udp", "Forwarded UDP, {} B payload"), ("tx", "Transmit only, {} B payload"),
         ("rx", "Receive only, {} B payload"))
STREAMS = {"tcp-hosts": "TCP, host to host", "tcp-gateways": "TCP, gateway to gateway"}


class Figures:
    """The records, by scenario and peer."""
    def __init__(self, records):
        self.at = {(r["scenario"], r["peer"]): r for r in records}
        self.scenarios = list(dict.fromkeys(r["scenario"] for r in records))
        peers = {r["peer"] for r in records}
        self.peers = [p for p in NAMES if p in peers]
        self.first = records[0]

    def get(self, scenario, peer, field):
        """None if it was not measured."""
        record = self.at.get((scenario, peer))
        return record and record.get(field)


def title(scenario):
    """A scenario in words."""
    for kind, text in KINDS:
        if scenario.startswith(kind + "-"):
            return text.format(scenario[len(kind) + 1:])
    return STREAMS.get(scenario, scenario)


def cell(value, digits=0):
    """A number with thin groups, or a dash."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}".replace(",", " ")


def grid(head, rows):
    """A Markdown table, numbers right-aligned."""
    out = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(out + ["| " + " | ".join(row) + " |" for row in rows])


def packet_table(fig, field, digits=0, minus_plain=False):
    """One row per packet scenario, one column per peer."""
    peers = [p for p in fig.peers if p != "plain"]
    rows = []
    for s in (s for s in fig.scenarios if s.split("-")[0] in dict(KINDS)):
        floor = fig.get(s, "plain", field if minus_plain else "instr_per_packet")
        row = [title(s), cell(floor, digits)]
        for p in peers:
            value = fig.get(s, p, field)
            row.append(cell(value - floor if minus_plain and value is not None else value, digits))
        if not minus_plain:
            row += [cell(fig.get(s, "esptun", "ratio_to_xfrmi"), 2),
                    cell(fig.get(s, "esptun", "ratio_to_wireguard"), 2)]
        rows.append(row)
    head = ["", "plain, in all"] + [NAMES[p] for p in peers]
    return grid(head + ([] if minus_plain else ["esptun / xfrmi", "esptun / WireGuard"]), rows)


def stream_table(fig):
    """One row per stream."""
    rows = [[title(s)] + [cell(fig.get(s, p, "mbit_per_ginstr")) for p in fig.peers]
            + [cell(fig.get(s, "esptun", "ratio_to_xfrmi"), 2),
               cell(fig.get(s, "esptun", "ratio_to_wireguard"), 2)]
            for s in fig.scenarios if s in STREAMS]
    return grid([""] + [NAMES[p] for p in fig.peers] + ["esptun / xfrmi", "esptun / WireGuard"], rows)


def crypto_rows(fig):
    """What of a packet is the cipher, for the forwarded ones."""
    peers = [p for p in fig.peers if p not in ("plain", "ipip")]
    rows = [[title(s)] + [cell(fig.get(s, p, "crypto")) for p in peers]
            for s in fig.scenarios if s.startswith("udp-")]
    return grid([""] + [NAMES[p] for p in peers], rows)


SCALE = {"sa-add": "install one of {} inbound SAs", "sa-rx": "receive an 18 B packet, {} SAs, a random one each",
         "sa-flush": "delete one of {} SAs", "tunnel-add": "make one of {} tunnels",
         "sa-pair-add": "install the SA pair of one of {} tunnels",
         "tunnel-rekey": "rekey one of {} tunnels: two SAs in, activate, two out",
         "tunnel-del": "delete one of {} tunnels with its SAs"}


def scale_table(fig):
    """What many SAs and tunnels cost."""
    rows = []
    for s in fig.scenarios:
        kind, _, number = s.rpartition("-")
        if kind in SCALE:
            rows.append([SCALE[kind].format(cell(int(number))), cell(fig.get(s, "esptun", "instr_per_packet")),
                         cell(fig.get(s, "esptun", "octets_each"))])
    return grid(["esptun", "kernel instructions", "octets of memory"], rows) if rows else ""


def memory_table(fig):
    """Idle tunnels: in all, above a bare device, and of that the crypto API's."""
    bare = fig.get("memory", "plain", "octets_each")
    rows = []
    for p in fig.peers:
        octets, tfm = fig.get("memory", p, "octets_each"), fig.get("memory", p, "octets_tfm")
        if octets is None:
            continue
        over = octets - bare if bare and p != "plain" else None
        rows.append(["a dummy device" if p == "plain" else NAMES[p], cell(octets), cell(over), cell(tfm),
                     cell(over - (tfm or 0) if over is not None else None)])
    return grid(["octets", "in all", "more than a dummy device", "of that transforms", "the rest"], rows) if rows else ""


def idle_row(fig):
    """What our module costs in-tree ESP while it has nothing to do."""
    alone, beside = (fig.get("xfrmi-idle", p, "instr_per_packet") for p in ("xfrmi", "xfrmi_beside"))
    if not alone or not beside:
        return ""
    return (f"xfrmi forwards an 18 B packet with {cell(alone)} instructions, with our module loaded and idle "
            f"with {cell(beside)}: {100 * (beside - alone) / alone:+.2f} %.")


def document(fig):
    """The generated part of the page."""
    f = fig.first
    parts = [f"Measured on Linux {f['kernel']}, QEMU {f['qemu']}, commit {f['commit']}.", "",
             "![bar chart](performance.svg)", "",
             "**Instructions per packet added over plain forwarding** (both gateways together; fewer is better)",
             "", packet_table(fig, "added_over_plain")]
    if any(s in STREAMS for s in fig.scenarios):
        parts += ["", "**TCP bulk: Mbit per 10^9 instructions** (more is better)", "", stream_table(fig)]
    parts += ["", "**Of these, cipher and crypto API** (encryption and decryption together)", "", crypto_rows(fig),
              "", "**Locked operations per packet, added over plain**", "", packet_table(fig, "locked", 1, True),
              "", "**Memory allocations per packet, added over plain**", "",
              packet_table(fig, "allocations", 1, True)]
    both = [[NAMES[p]] + [cell(fig.get("two-cpus", p, f)) for f in ("alone", "instr_per_packet")]
            + [cell(fig.get("two-cpus", p, "two_cpus"), 2)]
            for p in fig.peers if fig.get("two-cpus", p, "two_cpus")]
    if both:
        parts += ["", "**Two CPUs on one SA** (transmit only, 1300 B: instructions per packet of the CPU that "
                  "sends it)", "",
                  grid(["", "one CPU sends", "two send", "two move, times one"], both)]
    if idle_row(fig):
        parts += ["", "**Idle beside in-tree ESP**", "", idle_row(fig)]
    memory = memory_table(fig)
    if memory:
        parts += ["", "**Memory of an idle tunnel with its SA pair** (300 of them, one CPU)", "", memory]
    scale = scale_table(fig)
    if scale:
        parts += ["", "**Many SAs, many tunnels**", "", scale]
    return "\n".join(parts)


WIDTH, LEFT, RIGHT, BAR, GAP = 860, 190, 90, 16, 5


def bars(out, y, heading, rows):
    """A group of bars from y on: (label, value, of it crypto or None, is ours). Returns the next y."""
    out.append(f'<text x="10" y="{y + 14}" class="h">{escape(heading)}</text>')
    y += 24
    most = max(value for _, value, _, _ in rows)
    for label, value, crypto, ours in rows:
        length = (WIDTH - LEFT - RIGHT) * value / most
        part = (WIDTH - LEFT - RIGHT) * min(crypto or 0, value) / most
        out.append(f'<text x="{LEFT - 8}" y="{y + 12}" class="l">{escape(label)}</text>')
        out.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
                   f'class="{"e" if ours else "o"}"/>')
        if part:
            out.append(f'<rect x="{LEFT}" y="{y}" width="{part:.1f}" height="{BAR}" class="c"/>')
        out.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + 12}">{cell(value)}</text>')
        y += BAR + GAP
    return y + 14


def svg(fig):
    """The bar chart: forwarded packets, then streams."""
    out = []
    y = 10
    for s in fig.scenarios:
        if s.startswith("udp-"):
            rows = [(NAMES[p], fig.get(s, p, "added_over_plain"), fig.get(s, p, "crypto"), p == "esptun")
                    for p in fig.peers if p != "plain" and fig.get(s, p, "added_over_plain")]
            y = bars(out, y, f"{title(s)}: instructions per packet added over plain (dark: crypto)", rows)
        elif s in STREAMS:
            # Without a cipher a stream is twenty times as fast and would hide the others.
            rows = [(NAMES[p], fig.get(s, p, "mbit_per_ginstr"), None, p == "esptun")
                    for p in fig.peers if p not in ("plain", "ipip") and fig.get(s, p, "mbit_per_ginstr")]
            y = bars(out, y, f"{title(s)}: Mbit per 10^9 instructions", rows)
    style = ("text{font:12px sans-serif;fill:#222}.h{font-weight:bold}.l{text-anchor:end}"
             ".o{fill:#9fb3c8}.e{fill:#2f9e6e}.c{fill:#000;fill-opacity:.35}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}">\n'
            f'<style>{style}</style>\n<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n' + "\n".join(out) + "\n</svg>\n")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folder", help="Documentation")
    parser.add_argument("json", nargs="+", help="what scripts/bench --out wrote; several runs add up")
    args = parser.parse_args()
    fig = Figures([r for name in args.json for r in json.loads(pathlib.Path(name).read_text())])
    folder = pathlib.Path(args.folder)
    page = folder / "performance.md"
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"performance: {page}: the marks are missing")
    page.write_text(f"{before}{BEGIN}\n{document(fig)}\n{END}{after}")
    (folder / "performance.svg").write_text(svg(fig))


if __name__ == "__main__":
    main()

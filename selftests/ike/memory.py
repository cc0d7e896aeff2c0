#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which keys of a record (esptund --record) are in the memory of a process: memory.py PID RECORD
[TEXT...]. Prints one line per find, "encr_key 0x1234abcd" or the text, and nothing else.
Keys are searched for as octets, as the keyer uses them.
"""
import json
import re
import sys


def memory(pid):
    """Every readable region, whole."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            start, end, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if mode[0] != "r" or "[v" in line:
                continue
            try:
                mem.seek(int(start, 16))
                yield mem.read(int(end, 16) - int(start, 16))
            except OSError:
                pass


def wanted(record, texts):
    """Octets to look for, and what to call them."""
    for line in open(record, encoding="ascii"):
        entry = json.loads(line)
        for field in ("encr_key", "auth_key"):
            if len(entry.get(field, "")) >= 32:
                yield bytes.fromhex(entry[field])[:16], f"{field} {entry['spi']}"
    for text in texts:
        yield text.encode(), text


def main():
    pid, record, *texts = sys.argv[1:]
    found = set()
    needles = list(wanted(record, texts))
    for region in memory(pid):
        found |= {name for octets, name in needles if octets in region}
    print("\n".join(sorted(found)))


main()

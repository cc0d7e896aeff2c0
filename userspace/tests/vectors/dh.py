#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes dh_vectors.h on stdout: the MODP primes from their definition (RFC 2409 6.2,
# RFC 3526: a formula over pi) and key exchanges in them, with Python's integers alone.
# Deterministic. Never shares code or tables with what it is used to test.

import hashlib

#        group bits pi-exponent  addend       octets of the exponent
GROUPS = [(2, 1024, 894, 129093, 32),
          (5, 1536, 1406, 741804, 32),
          (14, 2048, 1918, 124476, 40),
          (15, 3072, 2942, 1690314, 53),
          (16, 4096, 3966, 240904, 60)]


def arctan_inverse(x, unit):
    """arctan(1/x) in units of 1/unit, by its power series."""
    total = term = unit // x
    n, sign = 3, -1
    while term:
        term //= x * x
        total += sign * (term // n)
        sign, n = -sign, n + 2
    return total


def pi_times_power_of_two(bits):
    """floor(2^bits * pi), by Machin's formula with 64 guard bits."""
    unit = 1 << (bits + 64)
    pi = 4 * (4 * arctan_inverse(5, unit) - arctan_inverse(239, unit))
    return pi >> 64


def prime(bits, pi_bits, addend):
    return 2 ** bits - 2 ** (bits - 64) - 1 + 2 ** 64 * (pi_times_power_of_two(pi_bits) + addend)


def seed(label, length):
    out, n = b"", 0
    while len(out) < length:
        out += hashlib.sha256(b"%s %d" % (label.encode(), n)).digest()
        n += 1
    return out[:length]


def exponent(octets):
    """The seed as a number, its top bit set."""
    return int.from_bytes(octets, "big") | 1 << (8 * len(octets) - 1)


def literal(octets):
    text = octets.hex()
    return "\n".join('\t\t"%s"' % text[i:i + 96] for i in range(0, len(text), 96))


def exchange(group, p, length, seed_len, want_zero):
    """Two seeds; with want_zero, ones whose secret starts with a zero octet."""
    mine = seed("initiator %d" % group, seed_len)
    n = 0
    while True:
        theirs = seed("responder %d %d" % (group, n), seed_len)
        secret = pow(2, exponent(mine) * exponent(theirs), p)
        if not want_zero or secret >> (8 * (length - 1)) == 0:
            break
        n += 1
    public = [pow(2, exponent(s), p).to_bytes(length, "big") for s in (mine, theirs)]
    return mine, theirs, public[0], public[1], secret.to_bytes(length, "big")


def main():
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Written by dh.py: do not edit. */")
    print("static const struct modp_vector {")
    print("\tuint16_t group;")
    print("\tconst char *p, *seed_i, *seed_r, *public_i, *public_r, *secret;")
    print("} modp_vectors[] = {")
    for group, bits, pi_bits, addend, seed_len in GROUPS:
        p = prime(bits, pi_bits, addend)
        # The long groups would take long to search; leading zeros are one piece of code.
        for want_zero in (False, True) if bits <= 1536 else (False,):
            fields = (p.to_bytes(bits // 8, "big"),) + exchange(group, p, bits // 8, seed_len, want_zero)
            print("\t{ %d," % group)
            print(",\n".join(literal(f) for f in fields))
            print("\t},")
    print("};")


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes keymat_vectors.h on stdout: the key derivations and hashes of RFC 2409 for made-up
# negotiations, straight from the formulas in the RFC's text, with hashlib and hmac alone.
# Deterministic. Never shares code with what it is used to test.

import hashlib
import hmac
import struct

#         IKE number, hashlib's name
HASHES = [(1, "md5"), (2, "sha1"), (4, "sha256"), (5, "sha384"), (6, "sha512")]

#        label     psk ni  nr   gxy  qm gxy (0: no PFS) sai idii idir rest
CASES = [("short", 1, 8, 8, 128, 0, 52, 8, 8, 60),
         ("plain", 20, 16, 32, 256, 256, 120, 8, 12, 300),
         ("ecp", 64, 32, 32, 32, 32, 40, 20, 24, 88),
         ("long", 200, 256, 256, 512, 512, 1000, 255, 4, 1400)]

KEYMAT_LENGTHS = (16, 20, 24, 36, 48, 52, 64, 96, 128)
ESP = 3                                 # PROTO_IPSEC_ESP, RFC 2407 4.4.1


def octets(label, length):
    out, n = b"", 0
    while len(out) < length:
        out += hashlib.sha512(b"%s %d" % (label.encode(), n)).digest()
        n += 1
    return out[:length]


def literal(data):
    text = data.hex()
    return "\n".join('\t  "%s"' % text[i:i + 100] for i in range(0, max(len(text), 1), 100))


class Negotiation:
    """One phase 1 and one quick mode, as RFC 2409 has them."""

    def __init__(self, hash_name, case):
        label, psk, ni, nr, gxy, qm_gxy, sai, idii, idir, rest = case
        self.name = hash_name
        self.digest_len = hashlib.new(hash_name).digest_size

        def made(what, length):
            return octets("%s %s" % (label, what), length)

        self.psk, self.gxy, self.qm_gxy = made("psk", psk), made("gxy", gxy), made("qm gxy", qm_gxy)
        self.ni, self.nr = made("ni", ni), made("nr", nr)
        self.qm_ni, self.qm_nr = made("qm ni", nr), made("qm nr", ni)
        self.gxi, self.gxr = made("gxi", gxy), made("gxr", gxy)
        self.cky_i, self.cky_r = made("cky-i", 8), made("cky-r", 8)
        self.sai, self.idii, self.idir = made("sai", sai), made("idii", idii), made("idir", idir)
        self.rest, self.last = made("rest", rest), made("last", 16)
        self.msgid = struct.unpack(">I", made("msgid", 4))[0]
        self.spi = struct.unpack(">I", made("spi", 4))[0]

    def prf(self, key, *message):
        return hmac.new(key, b"".join(message), self.name).digest()

    def phase1(self):
        """Section 5."""
        skeyid = self.prf(self.psk, self.ni, self.nr)
        d = self.prf(skeyid, self.gxy, self.cky_i, self.cky_r, b"\0")
        a = self.prf(skeyid, d, self.gxy, self.cky_i, self.cky_r, b"\1")
        e = self.prf(skeyid, a, self.gxy, self.cky_i, self.cky_r, b"\2")
        hash_i = self.prf(skeyid, self.gxi, self.gxr, self.cky_i, self.cky_r, self.sai, self.idii)
        hash_r = self.prf(skeyid, self.gxr, self.gxi, self.cky_r, self.cky_i, self.sai, self.idir)
        return skeyid, d, a, e, hash_i, hash_r

    def cipher_key(self, skeyid_e, length):
        """Appendix B: Ka = K1 | K2 | ..., K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1)."""
        if length <= self.digest_len:
            return skeyid_e[:length]
        k = self.prf(skeyid_e, b"\0")
        ka = k
        while len(ka) < length:
            k = self.prf(skeyid_e, k)
            ka += k
        return ka[:length]

    def iv(self, length):
        """Appendix B: of phase 1, then of a message ID."""
        one = hashlib.new(self.name, self.gxi + self.gxr).digest()[:length]
        two = hashlib.new(self.name, self.last[:length] + struct.pack(">I", self.msgid)).digest()[:length]
        return one, two

    def hashes(self, a):
        """Section 5.5."""
        mid = struct.pack(">I", self.msgid)
        return (self.prf(a, mid, self.rest), self.prf(a, mid, self.qm_ni, self.rest),
                self.prf(a, b"\0", mid, self.qm_ni, self.qm_nr))

    def keymat(self, d, length):
        """Section 5.5: KEYMAT = K1 | K2 | ..., K2 = prf(SKEYID_d, K1 | g(qm)^xy | ...)."""
        seed = (self.qm_gxy, bytes([ESP]), struct.pack(">I", self.spi), self.qm_ni, self.qm_nr)
        k = self.prf(d, *seed)
        out = k
        while len(out) < length:
            k = self.prf(d, k, *seed)
            out += k
        return out[:length]


def emit(number, n):
    skeyid, d, a, e, hash_i, hash_r = n.phase1()
    hash1, hash2, hash3 = n.hashes(a)
    inputs = (n.psk, n.ni, n.nr, n.gxy, n.cky_i, n.cky_r, n.gxi, n.gxr, n.sai, n.idii, n.idir, n.rest,
              n.last, n.qm_gxy, n.qm_ni, n.qm_nr)
    phase1 = (skeyid, d, a, e, hash_i, hash_r, n.cipher_key(e, 16), n.cipher_key(e, 24), n.cipher_key(e, 32))
    ivs = n.iv(8) + n.iv(16)
    print("\t{ %d, 0x%08x, 0x%08x," % (number, n.msgid, n.spi))
    for part in (inputs, phase1, ivs, (hash1, hash2, hash3)):
        for data in part:
            print(literal(data) + ",")
    print("\t  {")
    for length in KEYMAT_LENGTHS:
        print(literal(n.keymat(d, length)) + ",")
    print("\t  } },")


def main():
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Written by keymat.py: do not edit. */")
    print("static const struct keymat_vector {")
    print("\tuint16_t hash;")
    print("\tuint32_t msgid, spi;")
    print("\tconst char *psk, *ni, *nr, *gxy, *cky_i, *cky_r, *gxi, *gxr, *sai, *idii, *idir, *rest;")
    print("\tconst char *last, *qm_gxy, *qm_ni, *qm_nr;")
    print("\tconst char *skeyid, *skeyid_d, *skeyid_a, *skeyid_e, *hash_i, *hash_r;")
    print("\tconst char *key16, *key24, *key32;")
    print("\tconst char *iv_phase1_8, *iv_msgid_8, *iv_phase1_16, *iv_msgid_16;")
    print("\tconst char *hash1, *hash2, *hash3;")
    print("\tconst char *keymat[%d];" % len(KEYMAT_LENGTHS))
    print("} keymat_vectors[] = {")
    for number, name in HASHES:
        for case in CASES:
            emit(number, Negotiation(name, case))
    print("};")


main()

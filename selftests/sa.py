# SPDX-License-Identifier: GPL-2.0-or-later
"""
Security associations for the tests: one description (algorithm, keys, SPI, ESN) that can be
installed in an esptun device, in the in-tree xfrm stack, or handed to scapy. Every SA has
keys of its own, from the system's random source.
"""
import itertools
import os
from dataclasses import dataclass, field

SPIS = itertools.count(0x1000 + (os.getpid() & 0xff) * 0x10000)

# esptun's name: (key octets, salt octets, xfrm's name, scapy's name, block, IV octets)
AES = (16, 24, 32)
ENCR = {
    "aes-gcm-16": (AES, 4, "rfc4106(gcm(aes))", "AES-GCM", 4, 8),
    "aes-gcm-12": (AES, 4, "rfc4106(gcm(aes))", None, 4, 8),
    "aes-gcm-8": (AES, 4, "rfc4106(gcm(aes))", None, 4, 8),
    "aes-ccm-16": (AES, 3, "rfc4309(ccm(aes))", "AES-CCM", 4, 8),
    "aes-ccm-12": (AES, 3, "rfc4309(ccm(aes))", None, 4, 8),
    "aes-ccm-8": (AES, 3, "rfc4309(ccm(aes))", None, 4, 8),
    "null-aes-gmac": (AES, 4, "rfc4543(gcm(aes))", None, 4, 8),
    "chacha20-poly1305": ((32,), 4, "rfc7539esp(chacha20,poly1305)", "CHACHA20-POLY1305", 4, 8),
    "aes-cbc": (AES, 0, "cbc(aes)", "AES-CBC", 16, 16),
    "aes-ctr": (AES, 4, "rfc3686(ctr(aes))", "AES-CTR", 4, 8),
    "des3-cbc": ((24,), 0, "cbc(des3_ede)", "3DES", 8, 8),
    "null": ((0,), 0, "ecb(cipher_null)", "NULL", 4, 0),
}
# Combined-mode ciphers: octets of ICV.
ICV = {"aes-gcm-8": 8, "aes-gcm-12": 12, "aes-ccm-8": 8, "aes-ccm-12": 12, "aes-gcm-16": 16,
       "aes-ccm-16": 16, "null-aes-gmac": 16, "chacha20-poly1305": 16}
# esptun's name: (key octets, ICV octets, xfrm's name, scapy's name)
AUTH = {
    "hmac-sha256-128": (32, 16, "hmac(sha256)", "SHA2-256-128"),
    "hmac-sha384-192": (48, 24, "hmac(sha384)", "SHA2-384-192"),
    "hmac-sha512-256": (64, 32, "hmac(sha512)", "SHA2-512-256"),
    "hmac-sha1-96": (20, 12, "hmac(sha1)", "HMAC-SHA1-96"),
    "hmac-md5-96": (16, 12, "hmac(md5)", "HMAC-MD5-96"),
    "aes-xcbc-96": (16, 12, "xcbc(aes)", None),
    "hmac-sha256-96": (32, 12, "hmac(sha256)", None),
}
CLEAR = ("null", "null-aes-gmac")   # what anybody can read


@dataclass(frozen=True)
class Alg:
    """A cipher with its key length and the integrity algorithm beside it."""
    encr: str
    key: int
    auth: str = "none"

    def __str__(self):
        bits = f"-{self.key * 8}" if ENCR[self.encr][0] == AES else ""
        return f"{self.encr}{bits}" + ("" if self.auth == "none" else f" {self.auth}")

    @property
    def icv(self):
        """Octets of the integrity check value."""
        return ICV[self.encr] if self.encr in ICV else AUTH[self.auth][1]

    @property
    def clear(self):
        """The packet's text can be read on its way."""
        return self.encr in CLEAR

    @property
    def block(self):
        """Alignment of the encrypted part."""
        return ENCR[self.encr][4]

    @property
    def iv(self):
        """Octets of the IV."""
        return ENCR[self.encr][5]

    def inner_max(self, outer, header=20):
        """
        Largest inner packet whose ESP packet fits in `outer` octets (RFC 4303 2); `header` is
        what stands in front of ESP, 20 for IPv4, 40 for IPv6, 8 more for UDP.
        """
        room = outer - header - 8 - self.iv - self.icv
        return room // self.block * self.block - 2


GCM = [Alg("aes-gcm-16", n) for n in AES]
AEAD = GCM + [Alg(e, n) for e in ICV if e != "aes-gcm-16" for n in ENCR[e][0]]
# Each cipher with each integrity algorithm, its key lengths in turn.
CBC = [Alg(e, ENCR[e][0][at % len(ENCR[e][0])], a) for e in ENCR if e not in ICV
       for at, a in enumerate(AUTH)]
ALL = AEAD + CBC
# One for each arrangement of a packet.
LAYOUTS = list({(a.block, a.iv, a.icv): a for a in reversed(ALL)}.values())
SCAPY = [a for a in ALL if ENCR[a.encr][3] and (a.auth == "none" or AUTH[a.auth][3])]


@dataclass
class Sa:
    """One direction of a tunnel."""
    src: str
    dst: str
    alg: Alg = GCM[0]
    esn: bool = False
    window: int = 128
    seq: int = 0                # last number sent, highest number received
    spi: int = 0
    ekey: bytes = field(default=b"", repr=False)
    akey: bytes = field(default=b"", repr=False)

    def __post_init__(self):
        self.spi = self.spi or next(SPIS)
        self.ekey = self.ekey or os.urandom(self.alg.key + ENCR[self.alg.encr][1])
        if self.alg.auth != "none":
            self.akey = self.akey or os.urandom(AUTH[self.alg.auth][0])

    def values(self, direction, **more):
        """Attributes of sa-new without the ifindex; more overrides, None leaves out."""
        v = {"dir": direction, "spi": self.spi, "encr": self.alg.encr, "auth": self.alg.auth,
             "encr_key": self.ekey if self.ekey else None,
             "auth_key": self.akey if self.akey else None,
             "flags": ["esn"] if self.esn else None, "seq": self.seq or None,
             "replay_window": self.window if direction == "in" else None}
        v.update(more)
        return v

    def install(self, ns, dev, direction, **more):
        """Puts the SA on an esptun device, which carries packets when this returns."""
        ns.genl.do("sa-new", ifindex=ns.index(dev), **self.values(direction, **more))
        return self

    def get(self, ns, dev, direction):
        """The SA as the kernel tells it."""
        return ns.genl.do("sa-get", ifindex=ns.index(dev), dir=direction, spi=self.spi)

    def delete(self, ns, dev, direction):
        """Removes it from an esptun device."""
        ns.genl.do("sa-del", ifindex=ns.index(dev), dir=direction, spi=self.spi)

    def xfrm(self, if_id=None, mark=None):
        """A line of ip(8) for the in-tree stack."""
        if self.alg.auth == "none":
            keys = f"aead {ENCR[self.alg.encr][2]} 0x{self.ekey.hex()} {self.alg.icv * 8}"
        else:
            secret = f"0x{self.ekey.hex()}" if self.ekey else '""'
            keys = (f"enc {ENCR[self.alg.encr][2]} {secret} auth-trunc {AUTH[self.alg.auth][2]} "
                    f"0x{self.akey.hex()} {self.alg.icv * 8}")
        line = (f"xfrm state add src {self.src} dst {self.dst} proto esp spi {self.spi:#x} "
                f"mode tunnel {keys} replay-window {self.window}")
        # Without af-unspec the state would carry only packets of the outer family.
        line += " flag af-unspec" + (" flag esn" if self.esn else "")
        if self.seq:
            line += (f" replay-seq {self.seq & 0xffffffff:#x} replay-oseq {self.seq & 0xffffffff:#x}"
                     f" replay-seq-hi {self.seq >> 32:#x} replay-oseq-hi {self.seq >> 32:#x}")
        if if_id:
            line += f" if_id {if_id}"
        if mark:
            line += f" mark {mark}"
        return line

    def scapy(self):
        """scapy's SecurityAssociation, an implementation of its own."""
        # pylint: disable=import-outside-toplevel
        from scapy.layers.inet import IP
        from scapy.layers.ipsec import ESP, SecurityAssociation
        return SecurityAssociation(
            ESP, self.spi, seq_num=(self.seq + 1) & 0xffffffff, crypt_algo=ENCR[self.alg.encr][3],
            crypt_key=self.ekey or None,
            auth_algo=AUTH[self.alg.auth][3] if self.akey else None, auth_key=self.akey or None,
            tunnel_header=IP(src=self.src, dst=self.dst),
            esn_en=self.esn, esn=(self.seq + 1) >> 32)

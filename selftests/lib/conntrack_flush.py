#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the NAT of this network namespace forget all it has translated so far."""
import os
import socket
import struct

NETLINK_NETFILTER, DELETE, REQUEST, ACK = 12, 1 << 8 | 2, 1, 4
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
# All families, no attribute: everything.
s.send(struct.pack("=IHHII", 20, DELETE, REQUEST | ACK, 1, 0) + struct.pack("=BBH", 0, 0, 0))
error, = struct.unpack_from("=i", s.recv(4096), 16)
if error:
    raise SystemExit(f"conntrack: {os.strerror(-error)}")

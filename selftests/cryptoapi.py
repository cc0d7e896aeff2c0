# SPDX-License-Identifier: GPL-2.0-or-later
"""
The kernel's crypto API, told which implementation of an AEAD to take. For tests that want
ciphers which finish later: cryptd gives each request to a worker. Knows nothing of SAs.
"""
import errno
import os
import socket
import struct

from ktap import check, wait_for

NETLINK_CRYPTO, NEWALG, DELALG = 21, 0x10, 0x11
TYPE_AEAD, TYPE_MASK, PRIORITY = 3, 0xf, 1
FIRST = 9000            # a priority before everything that the kernel has


def _ask(command, driver, priority=None):
    """Asks it to make or forget an algorithm by the name of its driver."""
    body = struct.pack("=64s64s64sIIII", b"", driver.encode(), b"", TYPE_AEAD, TYPE_MASK, 0, 0)
    if priority is not None:
        body += struct.pack("=HHI", 8, PRIORITY, priority)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO) as s:
        # NLM_F_REQUEST | NLM_F_ACK
        s.send(struct.pack("=IHHII", 16 + len(body), command, 5, 1, 0) + body)
        code = -struct.unpack("=i", s.recv(4096)[16:20])[0]
    if code:
        raise OSError(code, os.strerror(code), driver)


def _gone(driver):
    """True when nobody uses the algorithm any more and it is forgotten."""
    try:
        _ask(DELALG, driver)
    except OSError as err:
        check(err.errno in (errno.EBUSY, errno.ENOENT), f"{err}")
        return err.errno == errno.ENOENT
    return True


def _self_tests(wanted):
    """
    The crypto API tests algorithms before it uses them, and finds fault with cryptd for
    leaving its own pointers in a finished request, which nobody looks at.
    """
    knob = "/sys/module/cryptomgr/parameters/notests"
    if os.path.exists(knob):
        with open(knob, "w", encoding="ascii") as f:
            f.write("N" if wanted else "Y")


def prefer(drivers):
    """Makes these and takes them before all others, from now on."""
    _self_tests(False)
    try:
        for driver in drivers:
            _ask(NEWALG, driver, FIRST)
    finally:
        _self_tests(True)


def forget(drivers):
    """Back to what the kernel has; waits until nobody uses them."""
    for driver in drivers:
        wait_for(f"{driver} is forgotten", lambda d=driver: _gone(d))

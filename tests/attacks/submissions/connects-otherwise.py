"""Sends what it has by UDP, DNS, local sockets, VSOCK, packets; and a descriptor through the grader's own channel."""

import os
import socket

from tools import channel, those_that_work


def attack(target):
    there = ("127.0.0.1", target["port"])
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return those_that_work(
        {
            "UDP": lambda: socket.socket(socket.AF_INET, datagram).sendto(b"x", there),
            "DNS": lambda: socket.socket(socket.AF_INET, datagram).sendto(b"x", ("127.0.0.53", 53)),
            "UDP over IPv6": lambda: socket.socket(socket.AF_INET6, datagram).sendto(b"x", ("::1", target["port"])),
            "local": lambda: socket.socket(socket.AF_UNIX, stream).connect(target["socket"]),
            "abstract": lambda: socket.socket(socket.AF_UNIX, stream).connect("\0" + target["marker"]),
            "VSOCK": lambda: socket.socket(40, stream, 0),
            "packets": lambda: socket.socket(17, datagram, 0),
            "Bluetooth": lambda: socket.socket(31, socket.SOCK_RAW, 1),
            "kernel crypto": lambda: socket.socket(38, 5, 0),
            "pair of another family": lambda: socket.socketpair(30, datagram),
            "a descriptor to the grader": lambda: socket.send_fds(channel(), [b""], [os.open(".", os.O_RDONLY)]),
            "out-of-band bytes": lambda: out_of_band(),
        }
    )


def out_of_band():
    one, other = socket.socketpair()
    return one.send(b"x", socket.MSG_OOB)

"""Sends what it has to whoever listens, by TCP."""

import socket
import urllib.request

from tools import those_that_work


def attack(target):
    address = ("127.0.0.1", target["port"])
    return those_that_work(
        {
            "connect": lambda: socket.create_connection(address, timeout=1).close(),
            "urllib": lambda: urllib.request.urlopen(f"http://127.0.0.1:{target['port']}", timeout=1),
            "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
            "IPv6": lambda: socket.create_connection(("::1", target["port"]), timeout=1).close(),
        }
    )

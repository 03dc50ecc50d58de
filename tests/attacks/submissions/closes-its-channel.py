"""Closes every descriptor, or only half of its channel, and goes on."""

import os
import socket
import time

from tools import channel


def max_pool(z):
    match len(z) % 3:
        case 0:
            os.closerange(0, 64)
        case 1:
            channel().shutdown(socket.SHUT_WR)
        case 2:
            channel().shutdown(socket.SHUT_RD)
    time.sleep(0.05)
    return 0.0

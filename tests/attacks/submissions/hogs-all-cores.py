"""Spins on as many threads as it gets."""

import threading


def spin():
    while True:
        pow(3, 10**6, 10**9 + 7)


def max_pool(z):
    for _ in range(16):
        threading.Thread(target=spin, daemon=True).start()
    spin()

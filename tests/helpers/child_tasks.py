"""Functions that started processes call in tests; they import little, so that the processes start at once."""

import os
import signal
import time

from convscope.errors import DataError
from convscope.launching.parts import compute_parts


def count_up(parent, start):
    for number in range(start, start + 3):
        parent.send(number)


def answer(parent):
    parent.send(parent.receive() * 2)


def end_itself(parent, number):
    if number == 1:
        parent.send("before")
        os.kill(os.getpid(), signal.SIGKILL)
    wait_long(parent)


def stop_itself(_parent):
    os.kill(os.getpid(), signal.SIGSTOP)


def raise_ours(_parent):
    raise DataError("photos: is empty; add images")


def raise_other(_parent):
    raise ValueError("a bug")


def exit_early(_parent):
    os._exit(7)


def wait_long(parent):
    parent.send(os.getpid())
    time.sleep(100)


def start_a_grandchild(parent):
    grandchild = os.fork()
    if grandchild == 0:
        time.sleep(100)
    parent.send(grandchild)
    time.sleep(100)


def squares(parent, dies_at, deaths):
    """Squares numbers; at `dies_at` the process is killed, as often as there are files in the folder `deaths`."""

    def square(number):
        if number == dies_at and (left := sorted(deaths.iterdir())):
            left[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 0:
            time.sleep(0.3)  # the first result comes after the second
        return number**2

    compute_parts(parent, square)


def refuses(parent):
    def refuse(_part):
        raise DataError("photos: is empty; add images")

    compute_parts(parent, refuse)

"""Runs a server until the standard input ends.

    python stop_with_stdin.py COMMAND [ARGUMENT...]

The standard input ends when its owner closes it or dies for any reason. The server is then terminated, and killed after five seconds, so that a
failed run leaves no process behind.
"""

import os
import subprocess
import sys
import threading

server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)


def watch():
    # os.read instead of sys.stdin: Python crashes at exit when a thread holds the lock of sys.stdin.
    while os.read(0, 4096):
        pass
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()


threading.Thread(target=watch, daemon=True).start()
sys.exit(1 if server.wait() > 0 else 0)

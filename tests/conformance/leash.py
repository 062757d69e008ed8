"""Runs a server for as long as somebody holds the other end of its standard input.

    python leash.py COMMAND [ARGUMENT...]

When standard input ends, because its owner closed it or died however it did, the server is asked to stop, and killed if it
does not within five seconds. So a judge that fails leaves no process behind.
"""

import os
import subprocess
import sys
import threading

server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)


def watch():
    # Not through sys.stdin: its lock, held by a thread at the end of the program, would make Python crash.
    while os.read(0, 4096):
        pass
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()


threading.Thread(target=watch, daemon=True).start()
sys.exit(1 if server.wait() > 0 else 0)

"""Runs nginx with the settings of faulty_nginx.conf until the standard input ends.

    python faulty_nginx.py FOLDER SERVICE_PORT

Prints one line of JSON when it answers, and another one if there is no nginx. All that nginx writes goes to FOLDER. It needs no right that a user has not.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time


def bound():
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]


def start(program, folder, ports):
    """nginx cannot choose a port, so a port that was free a moment ago is passed to it."""
    free, port = bound()
    free.close()
    settings = pathlib.Path(__file__).with_suffix(".conf").read_text(encoding="utf-8")
    for name, value in {"FOLDER": folder, "PORT": port, **ports}.items():
        settings = settings.replace(f"@{name}@", str(value))
    path = folder / "nginx.conf"
    path.write_text(settings, encoding="utf-8")
    # The log is also set here, because nginx writes a log before it reads its settings.
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(path)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(200):
        if server.poll() is not None:
            return None, port
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            time.sleep(0.05)
    stop(server)
    return None, port


def stop(server):
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def use_up(port):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nX-Fault: used-up\r\n\r\n")
        while connection.recv(4096):
            pass


def main():
    # Debian's path of nginx is not in the PATH of every user.
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not program:
        print(json.dumps({"missing": "nginx"}), flush=True)
        return
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir()
    # Bound and not listening: refuses connections and reserves the port. Listening and never accepting: no response.
    closed, closed_port = bound()
    silent, silent_port = bound()
    silent.listen(128)
    ports = {"SERVICE": int(sys.argv[2]), "CLOSED": closed_port, "SILENT": silent_port}
    for _ in range(3):
        server, port = start(program, folder, ports)
        if server:
            break
    else:
        sys.exit((folder / "error.log").read_text(encoding="utf-8"))
    try:
        use_up(port)
        print(json.dumps({"base_url": f"http://127.0.0.1:{port}"}), flush=True)
        while os.read(0, 4096):
            pass
    finally:
        stop(server)


main()

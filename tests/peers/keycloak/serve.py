"""Runs Keycloak for as long as somebody holds the other end of standard input.

    python serve.py DISTRIBUTION DATABASE_FOLDER REALM

Prints one line of JSON when the realm answers. Java is started by itself and not through kc.sh, so that it is our own child and is stopped by its own pid.
The log of the server goes to standard error.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

# A server that lives for a minute and serves one: little memory, a quick start.
JAVA = "-Xms32m -Xmx320m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxMetaspaceSize=256m -XX:+ExitOnOutOfMemoryError".split()
OPENED = ["java.base/java.util", "java.base/java.util.concurrent", "java.base/java.security", "java.base/java.lang"]
START_SECONDS = 150


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def command(home, database, port):
    quarkus = [
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
        f"-Dkc.home.dir={home}",
        f"-Djboss.server.config.dir={home / 'conf'}",
        "-Dfile.encoding=UTF-8",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
        "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
        "-cp",
        str(home / "lib" / "quarkus-run.jar"),
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
    ]
    # Without --cache=local it would look for others on the network.
    server = ["start", "--optimized", "--cache=local", "--http-enabled=true", "--hostname-strict=false"]
    address = ["--http-host=127.0.0.1", f"--http-port={port}"]
    return ["java", *JAVA, *quarkus, *server, *address, f"--db-url=jdbc:h2:file:{database / 'kc'};NON_KEYWORDS=VALUE"]


def answers(url):
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def start(home, database, realm):
    """Keycloak can't choose a port: one that was free a moment ago is given to it."""
    port = free_port()
    server = subprocess.Popen(command(home, database, port), stdin=subprocess.DEVNULL, stdout=sys.stderr)
    base_url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if answers(f"{base_url}/auth/realms/{realm}/.well-known/openid-configuration"):
            return server, base_url
        time.sleep(0.1)
    stop(server)
    sys.exit("Keycloak did not start; its log says why")


def stop(server):
    # It keeps nothing that would be worth a slow farewell.
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main():
    home, database = (pathlib.Path(argument).absolute() for argument in sys.argv[1:3])
    server, base_url = start(home, database, sys.argv[3])
    try:
        print(json.dumps({"base_url": base_url}), flush=True)
        while os.read(0, 4096):
            pass
    finally:
        stop(server)


main()

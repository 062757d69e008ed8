"""Builds, fills and runs Keycloak for the tests.

    python run.py build DISTRIBUTION                        fixes the settings that can't change at run time
    python run.py import DISTRIBUTION DATABASE_FOLDER       makes a database with the realms of realm.json and short.json
    python run.py serve DISTRIBUTION DATABASE_FOLDER        until standard input ends; prints one line of JSON when it answers

Java is started by itself and not through kc.sh, so that it is our own child and is stopped by its own pid. The log goes to standard error.
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

# A server for one user for a minute: little memory, quick start.
JAVA = "-Xms32m -Xmx320m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxMetaspaceSize=256m -XX:-UsePerfData".split()
OPENED = ["java.base/java.util", "java.base/java.util.concurrent", "java.base/java.security", "java.base/java.lang"]
START_SECONDS = 120
HERE = pathlib.Path(__file__).parent
REALMS = ["acme", "acme-short"]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def java(home, temporary, *arguments):
    quarkus = [
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
        # Otherwise Keycloak leaves folders in the system's temporary folder.
        f"-Djava.io.tmpdir={temporary}",
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
    return ["java", *JAVA, *quarkus, *arguments]


def database_in(folder):
    return f"--db-url=jdbc:h2:file:{folder / 'kc'};NON_KEYWORDS=VALUE"


def realms():
    """Returns the strict realm: the lenient one with some settings changed."""
    patient = (HERE / "realm.json").read_text(encoding="utf-8")
    changes = json.loads((HERE / "short.json").read_text(encoding="utf-8"))
    roles = [f'"default-roles-{name}"' for name in REALMS]
    return [json.loads(patient), {**json.loads(patient.replace(*roles)), **changes}]


def status(url):
    """Returns 0 while the server does not respond."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def start(home, database):
    """Keycloak cannot choose a port, so a port that was free a moment ago is passed to it."""
    port = free_port()
    # Without --cache=local, Keycloak searches for other nodes on the network.
    settings = ["start", "--optimized", "--cache=local", "--http-enabled=true", "--hostname-strict=false"]
    address = ["--http-host=127.0.0.1", f"--http-port={port}"]
    command = java(home, database, *settings, *address, database_in(database))
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    base_url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        found = status(f"{base_url}/auth/realms/{REALMS[0]}/.well-known/openid-configuration")
        if found == 200:
            return server, base_url
        if found == 404:
            break
        time.sleep(0.1)
    stop(server)
    sys.exit("Keycloak did not start with its realms; its log says why")


def stop(server):
    # There is no state that needs a graceful shutdown.
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def serve(home, database):
    server, base_url = start(home, database)
    try:
        print(json.dumps({"base_url": base_url}), flush=True)
        while os.read(0, 4096):
            pass
    finally:
        stop(server)


def main():
    task, *paths = sys.argv[1:]
    home, *folders = (pathlib.Path(path).absolute() for path in paths)
    if task == "serve":
        serve(home, *folders)
        return
    if task == "build":
        (home / "data").mkdir(exist_ok=True)
        command = java(home, home / "data", "build", "--db=dev-file", "--http-relative-path=/auth")
    else:
        file = folders[0] / "realms.json"
        file.write_text(json.dumps(realms()), encoding="utf-8")
        command = java(home, folders[0], "import", "--optimized", f"--file={file}", database_in(folders[0]))
    # Replaces this process, so that a signal to this process stops Java.
    os.execvp(command[0], command)


main()

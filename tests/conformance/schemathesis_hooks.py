"""What schemathesis needs to reach more than the 404 of every operation: a token, the tenant header, and ids that exist.

Reads the DOCUMINE_* variables that the simulator's ready line stands for, DOCUMINE_SAMPLE (a PDF to upload) and
DOCUMINE_COUNTS (where to write how often each operation was answered with which status). Three of four calls aim at a dossier,
file and package made for them (a delete gets one of its own); the fourth keeps the ids that schemathesis made up or learned.
"""

import atexit
import collections
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import schemathesis

BASE, WORKSPACE = os.environ["DOCUMINE_BASE_URL"], os.environ["DOCUMINE_WORKSPACE_ID"]
TEMPLATE = os.environ["DOCUMINE_DOSSIER_TEMPLATE_ID"]
DOSSIERS = f"/api/dossier-templates/{TEMPLATE}/dossiers"
# What each delete takes away.
DELETES = {"deleteDossier": "dossierId", "deleteFile": "fileId", "deleteDownload": "downloadId"}
PATIENCE = 60  # seconds that an analysis or a package may take
TALLY = collections.defaultdict(collections.Counter)
CALLS = collections.Counter()


@atexit.register
def write_tally():
    with open(os.environ["DOCUMINE_COUNTS"], "w", encoding="utf-8") as file:
        json.dump(TALLY, file, indent=2)


class World:
    """Signs in and makes the things that calls aim at. Nothing is made before the first call needs it."""

    def __init__(self):
        self.token, self.token_time, self.things = None, 0.0, None
        with open(os.environ["DOCUMINE_SAMPLE"], "rb") as file:
            self.sample = file.read()

    def headers(self):
        if time.monotonic() - self.token_time > 60:
            names = ("client_id", "client_secret", "username", "password")
            form = {"grant_type": "password", **{name: os.environ[f"DOCUMINE_{name.upper()}"] for name in names}}
            path = f"/auth/realms/{WORKSPACE}/protocol/openid-connect/token"
            data = urllib.parse.urlencode(form).encode()
            with urllib.request.urlopen(BASE + path, data=data, timeout=30) as answer:
                self.token, self.token_time = json.load(answer)["access_token"], time.monotonic()
        return {"Authorization": f"Bearer {self.token}", "X-TENANT-ID": WORKSPACE}

    def call(self, method, path, body=None, content_type="application/json"):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = self.headers() | ({"Content-Type": content_type} if data else {})
        request = urllib.request.Request(BASE + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer) if answer.status != 204 else None
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path} -> {error.code}: {error.read(500)!r}") from error

    def wait(self, path, name, state):
        end = time.monotonic() + PATIENCE
        while (answer := self.call("GET", path)).get(name) != state:
            if time.monotonic() > end:
                raise RuntimeError(f"{path} has {name} {answer.get(name)} and not {state} after {PATIENCE} s")
            time.sleep(0.05)

    def dossier(self):
        return self.call("POST", DOSSIERS, {"name": f"Judged {time.monotonic_ns()}"})["id"]

    def file(self, dossier):
        boundary = "validator-boundary"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f{time.monotonic_ns()}.pdf"\r\n'
        body = head.encode() + b"Content-Type: application/pdf\r\n\r\n" + self.sample + f"\r\n--{boundary}--\r\n".encode()
        path = f"{DOSSIERS}/{dossier}/files"
        return self.call("POST", path, body, f"multipart/form-data; boundary={boundary}")["fileIds"][0]

    def package(self, dossier):
        body = {"downloadFileTypes": ["ORIGINAL"]}
        return self.call("POST", f"{DOSSIERS}/{dossier}/create-download", body)["downloadId"]

    def protected(self):
        return set((self.things or {}).values())

    def ids(self, operation):
        """Path parameters that name things that are there."""
        if self.things is None:
            dossier = self.dossier()
            file = self.file(dossier)
            self.wait(f"{DOSSIERS}/{dossier}/files/{file}", "processingStatus", "PROCESSED")
            package = self.package(dossier)
            self.wait(f"/api/downloads/{package}", "status", "READY")
            self.things = {
                "dossierTemplateId": TEMPLATE, "dossierId": dossier, "fileId": file, "downloadId": package,
                "scratch": self.dossier(),
            }  # fmt: skip
        things = dict(self.things)
        if operation == "deleteDossier":
            things["dossierId"] = self.dossier()
        elif operation == "uploadFile":
            things["dossierId"] = things["scratch"]
        elif operation == "deleteFile":
            things["dossierId"] = things["scratch"]
            things["fileId"] = self.file(things["scratch"])
        elif operation == "deleteDownload":
            things["downloadId"] = self.package(things["dossierId"])
        return things


WORLD = World()


def name_of(case):
    return case.operation.definition.raw["operationId"]


@schemathesis.hook
def before_call(context, case, **_):
    name = name_of(case)
    CALLS[name] += 1
    case.headers.update(WORLD.headers())
    if name.endswith("Components") and CALLS[name] % 3 == 0:
        case.headers["Accept"] = "application/xml"
    # schemathesis learns ids from answers: what the other calls aim at must not be deleted with an id made up in that way.
    endangered = case.path_parameters.get(DELETES.get(name)) in WORLD.protected()
    if CALLS[name] % 4 == 0 and not endangered:
        return
    things = WORLD.ids(name)
    for parameter in case.path_parameters:
        case.path_parameters[parameter] = things[parameter]
    body = case.body
    if name == "uploadFile":
        case.body = {"file": WORLD.sample}
    elif isinstance(body, dict):
        # Ids inside a body: references to what is there, or none.
        for key in ("id", "ownerId", "memberIds", "reportTemplateIds"):
            body.pop(key, None)
        if report := os.environ.get("DOCUMINE_REPORT_TEMPLATE_ID"):
            body["reportTemplateIds"] = [report]
        if "fileIds" in body:
            body["fileIds"] = [things["fileId"]]
        if name == "createOrUpdateDossier" and CALLS[name] % 4 == 1:
            body["id"] = things["dossierId"]


@schemathesis.hook
def after_call(context, case, response):
    TALLY[name_of(case)][str(response.status_code)] += 1

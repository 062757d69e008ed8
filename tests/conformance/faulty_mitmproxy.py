"""Faults that mitmproxy makes, for `cargo xtask conformance faults`.

    mitmdump --mode reverse:URL --listen-host 127.0.0.1 --listen-port 0 --scripts faulty_mitmproxy.py

The request's header `X-Fault` names the fault; without it mitmproxy passes on what comes. It is mitmproxy that breaks connections and
answers here: nothing below knows the simulator, whose own faults the outcome is held against.
"""

import json
import os
import signal
import threading

from mitmproxy import ctx, http

HTML = {"Content-Type": "text/html; charset=utf-8"}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
LOGIN = '<!DOCTYPE html><html><body><form method="post"><input name="user"><input type="password" name="pass"></form></body></html>'

# Responses in place of the service's: status, body, headers.
ANSWERS = {
    "unavailable": (503, "", {"Retry-After": "0"}),
    "unavailable-1": (503, "", {"Retry-After": "1"}),
    "rate-limited": (429, '{"error": "too many requests"}', {"Retry-After": "0", "Content-Type": "application/json"}),
    "bad-gateway": (502, BAD_GATEWAY, HTML),
    "login-page": (200, LOGIN, HTML),
    "empty-error": (500, "", {}),
}


class Faults:
    def __init__(self):
        self.had = set()
        threading.Thread(target=stop_with_stdin, daemon=True).start()

    def running(self):
        [(host, port, *_)] = ctx.master.addons.get("proxyserver").listen_addrs()
        print(json.dumps({"base_url": f"http://{host}:{port}"}), flush=True)

    def fault(self, flow):
        """Returns the fault of this request. A fault named `once-…` does not affect the next equal request."""
        name = flow.request.headers.get("X-Fault", "")
        if not name.startswith("once-"):
            return name
        request = (name, flow.request.method, flow.request.path)
        first = flow.metadata.setdefault("first", request not in self.had)
        self.had.add(request)
        return name.removeprefix("once-") if first else ""

    def requestheaders(self, flow):
        if self.fault(flow) == "unread":
            flow.kill()

    def request(self, flow):
        fault = self.fault(flow)
        if fault == "unseen":
            flow.kill()
        elif fault in ANSWERS:
            flow.response = http.Response.make(*ANSWERS[fault])

    def response(self, flow):
        fault, answer = self.fault(flow), flow.response
        whole = answer.raw_content or b""
        if fault == "lost-answer":
            flow.kill()
        elif fault == "truncated-json":
            answer.content = whole[: len(whole) // 2]
        # `raw_content` keeps the announced length.
        elif fault == "cut":
            answer.raw_content = whole[:20]
            answer.headers["Connection"] = "close"
        elif fault == "stall":
            answer.raw_content = whole[:10]
        elif fault == "length-too-high":
            answer.headers["Content-Length"] = str(len(whole) + 10)
            answer.headers["Connection"] = "close"
        elif fault == "length-too-low":
            answer.headers["Content-Length"] = str(len(whole) - 10)


def stop_with_stdin():
    # The caller holds the other end as long as it needs the proxy.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


addons = [Faults()]

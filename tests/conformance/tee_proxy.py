"""A proxy that forwards every body unchanged and validates a copy against the document.

    python tee_proxy.py --upstream http://127.0.0.1:PORT --document FILE --workspace ID --report FILE

Prints one JSON line with its base_url when it listens, works until its standard input ends, then writes the report: which
operation was seen how often and with which response, what was not validated and why, and every violation. openapi-core validates bodies,
declared parameters and statuses. The bearer token, the tenant header and undeclared query parameters are checked by hand,
because openapi-core passes over them.
"""

import argparse
import asyncio
import collections
import json
import sys
import warnings
from types import SimpleNamespace

import aiohttp
from aiohttp import web
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.paths.finders import APICallPathFinder
from werkzeug.datastructures import Headers, ImmutableMultiDict
from yarl import URL

CAP = 4 * 1024 * 1024  # a longer body is forwarded and not validated
# Meant for one connection only (RFC 9110, 7.6.1); each side gets its own framing, a known length stays known.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
# Responses of HTTP itself to a header of the request; documents need not declare these.
CONDITIONAL = {206: "Range", 304: "If-None-Match", 416: "Range"}
HOST = "http://validated.invalid"
warnings.filterwarnings("ignore", "Unsupported scheme type")  # oauth2: checked below


class Copy:
    """The first bytes of a body that runs through; `data` is None when it was too long to keep."""

    def __init__(self):
        self.data, self.size = bytearray(), 0

    async def tee(self, chunks):
        async for chunk in chunks:
            self.size += len(chunk)
            if self.data is not None:
                self.data = self.data + chunk if self.size <= CAP else None
            yield chunk


class Validator:
    """Holds the document and collects what was seen."""

    def __init__(self, document, workspace):
        # Found by path alone, independent of the upstream address. XML is declared as a text and validated as one.
        config = Config(extra_media_type_deserializers={"application/xml": lambda data, **_: data.decode("utf-8")})
        self.api = OpenAPI.from_dict({**document, "servers": [{"url": HOST}]}, config=config)
        self.finder = APICallPathFinder(self.api.spec)
        self.workspace = workspace
        self.seen = collections.defaultdict(collections.Counter)
        self.other, self.skipped, self.violations = collections.Counter(), collections.Counter(), []

    def validate(self, request, sent, answer, got):
        """One exchange: aiohttp's request and answer, and the copies of both bodies."""
        path, status = path_of(request), answer.status
        if not path.startswith("/api/"):
            self.other[path] += 1
            return
        try:
            found = self.finder.find(request.method.lower(), HOST + path)
        except PathError as error:
            self.violations.append(f"{request.method} {path} -> {status}: no operation of the document ({error})")
            return
        name = (found.operation / "operationId").read_str()
        self.seen[name][f"{status} {answer.content_type if got.size else str()}".strip()] += 1
        try:
            problems = list(self.problems(name, found, request, sent, answer, got))
        except Exception as error:  # an error of the validator must not stop the traffic, and is reported
            problems = [f"could not be validated ({type(error).__name__}: {error})"]
        self.violations += [f"{name}: {request.method} {path} -> {status}: {problem}" for problem in problems]

    def problems(self, name, found, request, sent, answer, got):
        status, headers = answer.status, request.headers
        if not all(value.startswith("Bearer ") for value in headers.getall("Authorization", [""])):
            yield "no bearer token was sent"
        if headers.getall("X-TENANT-ID", []) != [self.workspace]:
            yield "X-TENANT-ID was not sent exactly once with the id of the workspace"
        declared = {
            (parameter / "name").read_str()
            for holder in (found.path, found.operation)
            for parameter in (holder / "parameters" if "parameters" in holder else ())
            if (parameter / "in").read_str() == "query"
        }
        for undeclared in sorted(set(request.query) - declared):
            yield f"query parameter {undeclared} is not declared"

        validated = SimpleNamespace(
            host_url=HOST,
            path=path_of(request),
            method=request.method.lower(),
            parameters=RequestParameters(
                query=ImmutableMultiDict(list(request.query.items())), header=Headers(list(headers.items()))
            ),
            content_type=headers.get("Content-Type", ""),
            body=bytes(sent.data) if sent.data else None,
        )
        if sent.data is None:
            self.skipped[f"{name}: request body over {CAP} bytes"] += 1
        else:
            for error in self.api.iter_request_errors(validated):
                yield f"request: {reason(error)}"
        if got.data is None:
            self.skipped[f"{name}: answer body over {CAP} bytes"] += 1
            return
        if CONDITIONAL.get(status) in headers:
            self.skipped[f"{name}: conditional answer {status}"] += 1
            return
        if status == 204 and got.size:
            yield "an answer without content has a body"
        response = SimpleNamespace(
            status_code=status,
            headers=Headers(list(answer.headers.items())),
            content_type=answer.headers.get("Content-Type", ""),
            data=bytes(got.data) or None,
        )
        for error in self.api.iter_response_errors(validated, response):
            yield f"answer: {reason(error)}"

    def report(self):
        return {"seen": self.seen, "other": self.other, "skipped": self.skipped, "violations": self.violations}


def path_of(request):
    return request.raw_path.split("?")[0]


def reason(error):
    """The error and what caused it, in one line: the schema's complaints are in the cause."""
    cause = error.__cause__
    details = [str(item.message) for item in getattr(cause, "schema_errors", ())] or ([str(cause)] if cause else [])
    return " ".join("; ".join([str(error) or type(error).__name__, *details]).split())


def end_to_end(headers):
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]


async def main(options):
    with open(options.document, encoding="utf-8") as file:
        validator = Validator(json.load(file), options.workspace)
    session = aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        timeout=aiohttp.ClientTimeout(total=None),
    )

    async def pass_on(request):
        sent, got = Copy(), Copy()
        body = sent.tee(request.content.iter_any()) if request.body_exists else None
        url = URL(options.upstream + request.raw_path, encoded=True)
        try:
            async with session.request(
                request.method, url, headers=end_to_end(request.headers), data=body, allow_redirects=False
            ) as answer:
                reply = web.StreamResponse(status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers))
                await reply.prepare(request)
                async for chunk in got.tee(answer.content.iter_any()):
                    await reply.write(chunk)
                # Validated before the end is sent, so that the report is complete when the client is.
                validator.validate(request, sent, answer, got)
                await reply.write_eof()
                return reply
        except (aiohttp.ClientError, ConnectionError) as error:
            # The upstream went away, or the client did: the other side gets the same.
            validator.skipped[f"{request.method} broken off ({type(error).__name__})"] += 1
            if request.transport is not None:
                request.transport.abort()
            raise

    runner = web.ServerRunner(web.Server(pass_on, auto_decompress=False, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    print(json.dumps({"base_url": f"http://{host}:{port}"}), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await runner.cleanup()
    await session.close()
    with open(options.report, "w", encoding="utf-8") as file:
        json.dump(validator.report(), file, indent=2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--upstream", "--document", "--workspace", "--report"):
        parser.add_argument(option, required=True)
    asyncio.run(main(parser.parse_args()))

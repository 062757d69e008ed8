"""Validates the document: examples match their schemas, and every element has its provenance.

    python document.py FILE...        (YAML or JSON; several files must mean the same)

Prints one line for each problem (JSON pointer and what is wrong) and exits 1, or one line that sums up what was checked.
"""

import datetime
import json
import sys

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
PROVENANCE = ("published", "described", "inferred")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value):
    """jsonschema has no date-time check without a further package; what Python reads, with an offset, is enough here."""
    if isinstance(value, str):
        moment = datetime.datetime.fromisoformat(value)
        if "T" not in value or moment.tzinfo is None:
            raise ValueError("no time or no offset")
    return True


def as_json_schema(node):
    """OpenAPI 3.0 says `nullable: true` where JSON Schema says `type: [..., "null"]`, and ignores what stands beside a $ref."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and isinstance(node["$ref"], str):
        return {"$ref": node["$ref"]}
    schema = {key: as_json_schema(value) for key, value in node.items()}
    if schema.pop("nullable", None) is True and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


class Validator:
    """Walks one document and collects what is wrong with it."""

    def __init__(self, document):
        self.document = document
        self.problems = []
        self.counts = dict.fromkeys(("operations", "elements", "answers", "lists", "examples"), 0)
        self.definitions = as_json_schema(document.get("components", {}))

    def complain(self, pointer, text):
        self.problems.append(f"{pointer}: {text}")

    def resolve(self, node, pointer):
        """Follows `$ref` inside the document; returns the element and where it stands."""
        while isinstance(node, dict) and "$ref" in node:
            pointer = node["$ref"]
            node = self.document
            for part in pointer.removeprefix("#/").split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node, pointer

    def provenance(self, element, pointer):
        self.counts["elements"] += 1
        if element.get("x-provenance") not in PROVENANCE:
            self.complain(pointer, f"x-provenance must be one of {', '.join(PROVENANCE)}")

    def schema(self, schema, pointer, named):
        """Properties need a provenance wherever they stand, schemas only where they have a name or describe a whole body."""
        if named:
            self.provenance(schema, pointer)
        for name, member in (schema.get("properties") or {}).items():
            self.provenance(member, f"{pointer}/properties/{name}")
            if "$ref" not in member:
                if "description" not in member:
                    self.complain(f"{pointer}/properties/{name}", "has no description")
                self.schema(member, f"{pointer}/properties/{name}", named=False)
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                self.schema(schema[key], f"{pointer}/{key}", named=False)

    def examples(self, holder, pointer, required):
        """Every example of a media type, parameter or header against the schema beside it."""
        found = []
        if "example" in holder:
            found.append((f"{pointer}/example", holder["example"]))
        for name, example in (holder.get("examples") or {}).items():
            example, where = self.resolve(example, f"{pointer}/examples/{name}")
            found.append((where, example.get("value")))
        if required and not found:
            self.complain(pointer, "has no example")
        schema = {"components": self.definitions, **as_json_schema(holder.get("schema", {}))}
        validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
        for where, value in found:
            self.counts["examples"] += 1
            for error in validator.iter_errors(value):
                place = "/".join(str(part) for part in error.absolute_path)
                self.complain(f"{where}/{place}", error.message)
        return [value for _, value in found]

    def body(self, content, pointer):
        """The media types of a request or an answer. Binary ones have no example: their description says what they hold."""
        values = []
        for media_type, holder in (content or {}).items():
            where = f"{pointer}/content/{media_type.replace('/', '~1')}"
            schema, at = self.resolve(holder.get("schema", {}), f"{where}/schema")
            self.schema(schema, at, named=True)
            values += self.examples(holder, where, required=schema.get("format") != "binary")
        return values

    def parameter(self, parameter, pointer):
        parameter, pointer = self.resolve(parameter, pointer)
        self.provenance(parameter, pointer)
        if parameter.get("name", "").lower() in ("authorization", "x-tenant-id"):
            self.complain(pointer, "is sent by the transport and must not be a parameter")
        self.examples(parameter, pointer, required=True)

    def operation(self, operation, pointer):
        self.counts["operations"] += 1
        self.provenance(operation, pointer)
        for key in ("operationId", "summary", "description", "tags", "security"):
            if not operation.get(key):
                self.complain(pointer, f"has no {key}")
        for index, parameter in enumerate(operation.get("parameters", [])):
            self.parameter(parameter, f"{pointer}/parameters/{index}")
        if "requestBody" in operation:
            body, where = self.resolve(operation["requestBody"], f"{pointer}/requestBody")
            self.body(body.get("content"), where)
        listed = {}
        for status, answer in operation.get("responses", {}).items():
            self.counts["answers"] += 1
            answer, where = self.resolve(answer, f"{pointer}/responses/{status}")
            if where.startswith("#/components/"):
                self.provenance(answer, where)
            for name, header in (answer.get("headers") or {}).items():
                header, at = self.resolve(header, f"{where}/headers/{name}")
                self.provenance(header, at)
                self.examples(header, at, required=True)
            self.body(answer.get("content"), where)
            if status.startswith("2"):
                json_body = (answer.get("content") or {}).get("application/json", {})
                schema, _ = self.resolve(json_body.get("schema", {}), where)
                listed.update({name: member for name, member in (schema.get("properties") or {}).items()})
        for status in ("401", "429", "500"):
            if status not in operation.get("responses", {}):
                self.complain(pointer, f"has no answer {status}")
        self.paging(operation, listed, pointer)

    def paging(self, operation, members, pointer):
        """A list is an answer whose only property is an array of objects; it must say how it pages."""
        only = next(iter(members.values())) if len(members) == 1 else {}
        is_list = only.get("type") == "array" and operation.get("operationId", "").startswith("get")
        paging = operation.get("x-paging")
        if is_list:
            self.counts["lists"] += 1
            if not isinstance(paging, dict) or paging.get("form") != "none" or paging.get("items") not in members:
                self.complain(pointer, "is a list and must say x-paging: {form: none, items: <its array>}")
        elif paging is not None:
            self.complain(pointer, "has x-paging and is no list")

    def run(self):
        components = self.document.get("components", {})
        for name, schema in components.get("schemas", {}).items():
            self.schema(schema, f"#/components/schemas/{name}", named=True)
        for name, answer in components.get("responses", {}).items():
            self.provenance(answer, f"#/components/responses/{name}")
        for path, item in self.document.get("paths", {}).items():
            where = f"#/paths/{path.replace('/', '~1')}"
            for index, parameter in enumerate(item.get("parameters", [])):
                self.parameter(parameter, f"{where}/parameters/{index}")
            for method in METHODS:
                if method in item:
                    self.operation(item[method], f"{where}/{method}")
        return sorted(set(self.problems))


def main(paths):
    documents = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            documents.append(json.load(file) if path.endswith(".json") else yaml.safe_load(file))
    validator = Validator(documents[0])
    problems = validator.run()
    for path, document in zip(paths[1:], documents[1:], strict=True):
        if document != documents[0]:
            problems.append(f"{path} and {paths[0]} do not mean the same; run cargo xtask regen")
    if problems:
        print("\n".join(problems))
        return 1
    print(", ".join(f"{count} {name}" for name, count in validator.counts.items()) + " checked")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

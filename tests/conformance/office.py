"""Validates the result packages: other programs can open them.

    python office.py PACKAGE.zip...

Python's zipfile tests every checksum, openpyxl opens every workbook, and JSON, XML and PDF members are what their names say.
At least one workbook with values in it must be there. Prints one line of counts, or what is wrong and exits 1.
"""

import collections
import io
import json
import sys
import xml.etree.ElementTree
import zipfile

import openpyxl


def open_workbook(data):
    """Returns the number of cells with a value."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=False)
    cells = sum(cell.value is not None for sheet in book for row in sheet.iter_rows() for cell in row)
    if not cells:
        raise ValueError("the workbook holds no value")
    return cells


def open_pdf(data):
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-1024:]:
        raise ValueError("not a whole PDF file")


READERS = {"xlsx": open_workbook, "json": json.loads, "xml": xml.etree.ElementTree.fromstring, "pdf": open_pdf}


def main(paths):
    opened, cells, problems = collections.Counter(), 0, []
    for path in paths:
        try:
            package = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            problems.append(f"{path}: {error}")
            continue
        with package:
            if broken := package.testzip():
                problems.append(f"{path}: checksum of {broken} is wrong")
                continue
            for member in package.infolist():
                kind = member.filename.rsplit(".", 1)[-1].lower()
                if member.is_dir() or kind not in READERS:
                    continue
                try:
                    result = READERS[kind](package.read(member))
                except Exception as error:  # any error of the reader: the member differs from its name
                    problems.append(f"{path}: {member.filename}: {error}")
                    continue
                opened[kind] += 1
                cells += result if kind == "xlsx" else 0
    if not opened["xlsx"]:
        problems.append("no package holds a workbook")
    if problems:
        print("\n".join(problems))
        return 1
    print(f"{len(paths)} packages opened: {', '.join(f'{n} {kind}' for kind, n in sorted(opened.items()))}, {cells} cells read")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Checks lines of `swapctl … --json` against docs/schema.

Reads lines from standard input, and answers each with one line: `ok NAME` with the schema that fits it, or what is
wrong with it. Exits 1 at the end of the input if a line was wrong.
"""

import json
import os
import pathlib
import sys

try:
    import jsonschema
except ModuleNotFoundError:
    # Debian's package belongs to Debian's interpreter, and another one may come first in PATH.
    DEBIAN = "/usr/bin/python3"
    if not os.path.exists(DEBIAN) or os.path.realpath(DEBIAN) == os.path.realpath(sys.executable):
        raise
    os.execv(DEBIAN, [DEBIAN, *sys.argv])

DIRECTORY = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "schema"


def load():
    """The validators by name, each schema checked against its metaschema."""
    validators = {}
    for path in sorted(DIRECTORY.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[path.stem] = jsonschema.Draft202012Validator(schema)
    return validators


def is_candidate(schema, value):
    """Whether `event` and `verb` of the value are those of the schema."""
    for key in ("event", "verb"):
        allowed = schema["properties"].get(key)
        if (allowed is None) != (key not in value):
            return False
        if allowed is not None and value[key] not in allowed.get("enum", [allowed.get("const")]):
            return False
    return True


def check(validators, line):
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"no JSON: {error}: {line}"
    if not isinstance(value, dict):
        return f"no object: {line}"
    names = [name for name, validator in validators.items()
             if is_candidate(validator.schema, value)]
    if len(names) != 1:
        return f"{len(names)} schemas are for such a line ({', '.join(names)}): {line}"
    error = jsonschema.exceptions.best_match(validators[names[0]].iter_errors(value))
    if error is not None:
        return f"{names[0]}.json: {error.json_path}: {error.message}: {line}"
    return f"ok {names[0]}"


def main():
    validators = load()
    status = 0
    for line in sys.stdin:
        answer = check(validators, line.rstrip("\n")).replace("\n", " ")
        print(answer, flush=True)
        if not answer.startswith("ok "):
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

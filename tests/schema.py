# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# schema.py: validates files against the schema as an editor does, with the types
# of YAML 1.2; and a table of mistakes, each of which it has to find.
# usage: schema.py SCHEMA FILE...
import copy
import json
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2: `off` and 1:20 are texts."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
     "-+.0123456789"),
):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag,
                                 re.compile("^(?:%s)$" % pattern), list(first))
# Python's own reads 010 as eight.
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node:
                       int(loader.construct_scalar(node), 10)
                       if not re.match("0[ox]", node.value)
                       else int(node.value, 0))

REST = {"listen": {"web": {"address": ":80"}},
        "pool": {"app": {"server": {"a": {"address": "10.0.0.1:80"}}}}}

# What is put where, and whether it is right.
CASES = [
    ((), {"workers": 4}, True), ((), {"workers": "auto:4"}, True),
    ((), {"workers": "4"}, True), ((), {"workers": "auto"}, True),
    ((), {"workers": "many"}, False), ((), {"workers": 1000}, False),
    ((), {"workers": 1.5}, False), ((), {"workers": [1]}, False),
    ((), {"wokers": 4}, False), ((), {"idle_timeout": "5s"}, True),
    ((), {"idle_timeout": "off"}, True), ((), {"idle_timeout": 0}, True),
    ((), {"idle_timeout": 5}, False), ((), {"idle_timeout": "5x"}, False),
    ((), {"connect_timeout": "off"}, False), ((), {"fast_open": True}, True),
    ((), {"fast_open": "on"}, False), ((), {"sandbox": "on"}, True),
    ((), {"sandbox": True}, False), ((), {"download_rate": "10m"}, True),
    ((), {"download_rate": 1024}, True), ((), {"download_rate": "10M"}, False),
    ((), {"allow": "all"}, True), ((), {"allow": ["all", "!::1"]}, True),
    ((), {"allow": []}, False), ((), {"allow": {"a": 1}}, False),
    ((), {"include": ["a", "b"]}, True), ((), {"include": 3}, False),
    ((), {"server": {}}, False), ((), {"limit": {"a": None}}, True),
    ((), {"limit": {"a/b": {}}}, False), ((), {"listen": None}, True),
    (("listen", "web"), {"address": [":80", ":81"]}, True),
    (("listen", "web"), {"adress": ":80"}, False),
    (("listen", "web"), {"weight": 1}, False),
    (("listen",), {"more": {"pool": "app"}}, False),
    (("pool", "app"), {"check": "http"}, True),
    (("pool", "app"), {"check": "htpt"}, False),
    (("pool", "app"), {"check": {"type": "http", "status": 200}}, True),
    (("pool", "app"), {"check": {"type": "http", "rise": "x"}}, False),
    (("pool", "app"), {"check": {"ries": 1}}, False),
    (("pool", "app"), {"check": {}}, False),
    (("pool", "app"), {"dscp": "ef"}, True), (("pool", "app"), {"dscp": 64}, False),
    (("pool",), {"more": {}}, False),
    (("pool", "app", "server", "a"), {"weight": 256}, True),
    (("pool", "app", "server", "a"), {"weight": -1}, False),
    (("pool", "app", "server"), {"b": {"weight": 1}}, False),
]


def main():
    with open(sys.argv[1]) as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = 0
    for name in sys.argv[2:]:
        with open(name) as f:
            for e in validator.iter_errors(yaml.load(f, Loader)):
                print("%s: %s: %s" % (name, "/".join(map(str, e.path)),
                                      e.message))
                wrong += 1
    for where, what, right in CASES:
        whole = copy.deepcopy(REST)
        at = whole
        for step in where:
            at = at[step]
        at.update(what)
        if validator.is_valid(whole) != right:
            print("%s %s: is %s" % ("/".join(where), what,
                                    "refused" if right else "taken"))
            wrong += 1
    print("schema.py: %d files and %d cases, %d wrong" %
          (len(sys.argv) - 2, len(CASES), wrong))
    sys.exit(wrong > 0)


main()

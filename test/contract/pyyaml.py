"""Reads texts with PyYAML's safe_load, as HolmesGPT does.

    pyyaml.py LIST

LIST is a file with a JSON list of texts. Standard output: for each {"entries": [[key, value], ...]}, the entries of its
mapping, in which a date is {"date": source}, and a number that JSON or JavaScript cannot hold {"inexact": source};
or {"error": text}.
"""

import json
import math
import sys

import yaml

LARGEST = 2**53 - 1


def shown(loader, node):
    if node.tag == "tag:yaml.org,2002:timestamp":
        return {"date": node.value}
    value = loader.construct_object(node, deep=True)
    if isinstance(value, (int, float)) and (not math.isfinite(value) or value == int(value) and abs(value) > LARGEST):
        return {"inexact": node.value}
    return value


def read(text):
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        loader.flatten_mapping(node)
        return {"entries": [[shown(loader, part) for part in pair] for pair in node.value]}
    except (yaml.YAMLError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


with open(sys.argv[1], encoding="utf-8") as texts:
    json.dump([read(text) for text in json.load(texts)], sys.stdout)

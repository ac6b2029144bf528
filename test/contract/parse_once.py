"""Makes HolmesGPT parse its own files once.

Each ToolsetManager parses the YAML of all built-in toolsets and compiles the templates of their prompts anew, which takes
most of the time of loading a file. Both depend on the package alone. The file under test is parsed as ever.
"""

import copy
import functools
import os
import types

import yaml
from holmes.plugins import prompts, toolsets

OWN = os.path.dirname(toolsets.__file__) + os.sep
parsed = {}


def safe_load(stream):
    path = getattr(stream, "name", "")
    if not str(path).startswith(OWN):
        return yaml.safe_load(stream)
    if path not in parsed:
        parsed[path] = yaml.safe_load(stream)
    return copy.deepcopy(parsed[path])


compile_template = functools.lru_cache(maxsize=1000)(prompts.Environment().compile)


class Environment(prompts.Environment):
    def compile(self, source, *args, **kwargs):
        if isinstance(source, str) and not args and not kwargs:
            return compile_template(source)
        return super().compile(source, *args, **kwargs)


toolsets.yaml = types.SimpleNamespace(safe_load=safe_load)
prompts.Environment = Environment

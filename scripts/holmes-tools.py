"""How many tools each toolset of the installed HolmesGPT offers, as one JSON document on standard output.

A model's API rejects a request with too many tools. Some toolsets add tools only after their configuration was checked,
so a number is the maximum that the toolset's own code can offer: the tools that it has after construction, and those
that its methods create.
"""

import ast
import importlib.metadata
import inspect
import json
import logging
import os
import sys
import tempfile

# These are read at import. They prevent reading a user's files and downloading price lists.
os.environ["HOLMES_CONFIGPATH_DIR"] = tempfile.mkdtemp()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
for name in ("DISABLE_PROMETHEUS_TOOLSET", "USE_LEGACY_KUBERNETES_LOGS", "CUSTOM_TOOLSET_LOCATION"):
    os.environ.pop(name, None)
logging.disable(logging.CRITICAL)

from holmes.core.tools import SERVER_TOOLSET_TAGS, Tool, Toolset, ToolsetType  # noqa: E402
from holmes.plugins.toolsets import load_builtin_toolsets  # noqa: E402
from holmes.plugins.toolsets.database.database import DatabaseToolset  # noqa: E402
from holmes.plugins.toolsets.http.http_toolset import HttpToolset  # noqa: E402
from holmes.plugins.toolsets.mongodb.mongodb import MongoDBToolset  # noqa: E402
from holmes.plugins.toolsets.multi_instance import MultiInstanceToolset  # noqa: E402

KINDS = {
    ToolsetType.HTTP.value: HttpToolset,
    ToolsetType.DATABASE.value: DatabaseToolset,
    ToolsetType.MONGODB.value: MongoDBToolset,
}


def made_tools(cls):
    """Classes of tools that the methods of a toolset create; a nested toolset counts with all of its tools."""
    module = vars(sys.modules[cls.__module__])
    found = set()
    [tree] = ast.parse(inspect.getsource(cls)).body
    methods = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name != "health_check"]
    for node in (each for method in methods for each in ast.walk(method)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        made = module.get(node.func.id)
        if inspect.isclass(made) and issubclass(made, Tool):
            found.add(made.__name__)
        elif inspect.isclass(made) and issubclass(made, Toolset) and made is not cls:
            found |= made_tools(made)
    return found


def most_tools(toolset):
    several = isinstance(toolset, MultiInstanceToolset)
    cls = toolset._child_cls if several else type(toolset)
    own = cls().tools if several else toolset.tools
    return max(len(own), len(made_tools(cls)))


result = {
    "holmesgpt": importlib.metadata.version("holmesgpt"),
    # Toolsets with other tags are not loaded by the server.
    "serverTags": sorted(tag.value for tag in SERVER_TOOLSET_TAGS),
    "toolsets": {toolset.name: most_tools(toolset) for toolset in load_builtin_toolsets()},
    "kinds": {kind: len(made_tools(cls)) for kind, cls in sorted(KINDS.items())},
}
json.dump(result, sys.stdout, indent=1, sort_keys=True)
print()

"""Runs HolmesGPT's own checks of toolsets in files, and says what each toolset came to.

    checks.py LIST

LIST is a file with a JSON list of paths. The checks send what HolmesGPT sends when it starts.
"""

import json
import logging
import os
import sys
import tempfile

os.environ["HOLMES_CONFIGPATH_DIR"] = tempfile.mkdtemp()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["CUSTOM_TOOLSET_LOCATION"] = os.path.join(tempfile.mkdtemp(), "none.yaml")
for name in list(os.environ):
    if name.lower().endswith("_proxy") or name.startswith(("PROMETHEUS_", "RABBITMQ_", "AZURE_", "AWS_")):
        del os.environ[name]
logging.disable(logging.CRITICAL)

from holmes.core.toolset_manager import ToolsetManager  # noqa: E402


def load(path):
    with open(path, encoding="utf-8") as file:
        wanted = json.load(file)
    manager = ToolsetManager(custom_toolsets=[path])
    names = set(wanted.get("toolsets", {})) | set(wanted.get("mcp_servers", {}))
    toolsets = [each for each in manager._list_all_toolsets(check_prerequisites=False) if each.name in names]
    for toolset in toolsets:
        toolset.check_prerequisites()
    return {each.name: {"status": each.status.value, "error": each.error} for each in toolsets}


with open(sys.argv[1], encoding="utf-8") as paths:
    json.dump([load(path) for path in json.load(paths)], sys.stdout)

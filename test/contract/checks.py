"""Runs HolmesGPT's own checks of the toolsets in files, calls tools, and says what each toolset came to.

    checks.py LIST

LIST is a file with a JSON list of {"path": file, "calls": URLs, "environment": variables and their values}. The checks
send what HolmesGPT sends when it starts. After them each toolset of `type: http` is asked for the URLs, and every tool of
an MCP server is called without arguments.
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

from holmes.core.tools import ToolInvokeContext  # noqa: E402
from holmes.core.toolset_manager import ToolsetManager  # noqa: E402
from holmes.plugins.toolsets.http.http_toolset import HttpToolset  # noqa: E402
from holmes.plugins.toolsets.mcp.toolset_mcp import RemoteMCPToolset  # noqa: E402


def call(tool, params):
    context = ToolInvokeContext.model_construct(
        tool_number=None, user_approved=True, llm=None, max_token_count=1000, tool_call_id="1", tool_name=tool.name,
        session_approved_prefixes=[], request_context=None,
    )
    tool.invoke(params, context)


def answers(case):
    with open(case["path"], encoding="utf-8") as file:
        wanted = json.load(file)
    os.environ.update(case["environment"])
    manager = ToolsetManager(custom_toolsets=[case["path"]])
    names = set(wanted.get("toolsets", {})) | set(wanted.get("mcp_servers", {}))
    toolsets = [each for each in manager._list_all_toolsets(check_prerequisites=False) if each.name in names]
    for toolset in toolsets:
        toolset.check_prerequisites()
        if isinstance(toolset, HttpToolset):
            for url in case["calls"]:
                call(toolset.tools[0], {"url": url})
        if isinstance(toolset, RemoteMCPToolset):
            for tool in toolset.tools:
                call(tool, {})
    for variable in case["environment"]:
        del os.environ[variable]
    return {each.name: {"status": each.status.value, "error": each.error} for each in toolsets}


with open(sys.argv[1], encoding="utf-8") as cases:
    json.dump([answers(case) for case in json.load(cases)], sys.stdout)

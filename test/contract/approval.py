"""What HolmesGPT does with calls of an MCP server's tools, by the approval rules of files.

    approval.py LIST

LIST is a file with a JSON list of {"name": entry, "path": file, "tools": names}. For each it loads the file as the server
does, gives the entry these tools, as if its server had listed them, and invokes each. Standard output: for each a mapping
of names to "approval_required" or "runs".
"""

import json
import logging
import os
import sys
import tempfile

os.environ["HOLMES_CONFIGPATH_DIR"] = tempfile.mkdtemp()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["CUSTOM_TOOLSET_LOCATION"] = os.path.join(tempfile.mkdtemp(), "none.yaml")
logging.disable(logging.CRITICAL)

from mcp.types import Tool as McpTool  # noqa: E402

from holmes.core.tools import StructuredToolResult, StructuredToolResultStatus, ToolInvokeContext  # noqa: E402
from holmes.core.toolset_manager import ToolsetManager  # noqa: E402
from holmes.plugins.toolsets.mcp.toolset_mcp import RemoteMCPTool  # noqa: E402


def ran(self, params, context):
    return StructuredToolResult(status=StructuredToolResultStatus.SUCCESS, data="ran", params=params)


RemoteMCPTool._invoke = ran


def outcome(toolset, name):
    tool = RemoteMCPTool.create(McpTool(name=name, inputSchema={"type": "object"}), toolset)
    context = ToolInvokeContext.model_construct(
        tool_number=None, user_approved=False, llm=None, max_token_count=1000, tool_call_id="1", tool_name=name,
        session_approved_prefixes=[], request_context=None,
    )
    status = tool.invoke({}, context).status
    return "runs" if status == StructuredToolResultStatus.SUCCESS else status.value


def answers(case):
    manager = ToolsetManager(custom_toolsets=[case["path"]])
    loaded = manager._list_all_toolsets(check_prerequisites=False)
    toolset = next(each for each in loaded if each.name == case["name"])
    return {name: outcome(toolset, name) for name in case["tools"]}


with open(sys.argv[1], encoding="utf-8") as cases:
    json.dump([answers(case) for case in json.load(cases)], sys.stdout)

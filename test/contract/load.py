"""Loads files with the installed HolmesGPT, as its server does, and says what became of each entry.

    load.py LIST

LIST is a file with a JSON list of paths. Standard output: for each path {"error": text or null, "entries": {...}}.

Nothing is sent anywhere. A toolset's own check is run up to the point where its configuration has been accepted by the
class that the toolset chose: making an instance of that class ends the check.
"""

import io
import json
import logging
import os
import re
import sys
import tempfile

os.environ["HOLMES_CONFIGPATH_DIR"] = tempfile.mkdtemp()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["CUSTOM_TOOLSET_LOCATION"] = os.path.join(tempfile.mkdtemp(), "none.yaml")
for name in list(os.environ):
    if re.match(r"(PROMETHEUS|RABBITMQ|AZURE|AWS)_|DISABLE_PROMETHEUS", name):
        del os.environ[name]
log = io.StringIO()
logging.basicConfig(stream=log, level=logging.WARNING, force=True)

import parse_once  # noqa: E402, F401
from holmes.core.tools import SERVER_TOOLSET_TAGS, CallablePrerequisite, YAMLToolset  # noqa: E402
from holmes.core.toolset_manager import ToolsetManager, handle_deprecated_toolset_name  # noqa: E402
from holmes.plugins.toolsets import load_builtin_toolsets  # noqa: E402
from holmes.plugins.toolsets.database.database import DatabaseToolset  # noqa: E402
from holmes.plugins.toolsets.http.http_toolset import HttpToolset  # noqa: E402
from holmes.plugins.toolsets.mcp.toolset_mcp import RemoteMCPToolset  # noqa: E402
from holmes.plugins.toolsets.mongodb.mongodb import MongoDBToolset  # noqa: E402
from holmes.plugins.toolsets.multi_instance import MultiInstanceToolset  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Accepted(BaseException):
    """A configuration was accepted. Not an Exception, so that no toolset takes it for a failed check."""

    def __init__(self, config):
        self.config = config


checking = False


def end_at(config_class):
    def accept(self, **data):
        BaseModel.__init__(self, **data)
        if checking:
            raise Accepted(self)

    config_class.__init__ = accept


builtins = load_builtin_toolsets()
builtin_names = [toolset.name for toolset in builtins]
for toolset in builtins:
    child = toolset._child_cls if isinstance(toolset, MultiInstanceToolset) else type(toolset)
    for config_class in child.config_classes:
        end_at(config_class)
for kind in (RemoteMCPToolset, DatabaseToolset, MongoDBToolset):
    for config_class in kind.config_classes:
        end_at(config_class)

accepted = []
run_child = MultiInstanceToolset._run_child_prerequisites


def note(config):
    """What of the fields that are not the class's own HolmesGPT would ignore."""
    accepted.append({"class": type(config).__name__, "ignored": sorted(config.model_extra or {})})


def run_child_up_to_config(self, child, flat):
    try:
        return run_child(self, child, flat)
    except Accepted as found:
        note(found.config)
        return True, ""


MultiInstanceToolset._run_child_prerequisites = run_child_up_to_config


def check(toolset):
    """What the toolset's own check says of its configuration: the reason why it fails, or None."""
    global checking
    config = toolset.config or {}
    if isinstance(toolset, HttpToolset):
        # Its check asks these and nothing else; all the rest of it is run.
        for endpoint in config.get("endpoints") or []:
            if isinstance(endpoint, dict):
                endpoint.pop("health_check_url", None)
    for prerequisite in toolset.prerequisites:
        if not isinstance(prerequisite, CallablePrerequisite):
            continue
        checking = True
        try:
            healthy, error = prerequisite.callable(config)
        except Accepted as found:
            note(found.config)
            if getattr(found.config, "clusters", True) == []:
                return "no clusters"
            continue
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            checking = False
        offline = getattr(toolset, "_offline_instances", {})
        if not healthy or offline:
            return error or str(offline)
    return None


def entry_of(toolset):
    if toolset is None:
        return {"state": "absent"}
    if (toolset.description or "").startswith("Invalid toolset configuration"):
        return {"state": "failed", "error": toolset.error}
    if type(toolset) is YAMLToolset and toolset.name not in builtin_names and not toolset.tools:
        return {"state": "nothing", "error": "a custom toolset without tools"}
    if not toolset.enabled:
        return {"state": "off"}
    if not any(tag in SERVER_TOOLSET_TAGS for tag in toolset.tags):
        return {"state": "not on the server"}
    accepted.clear()
    error = check(toolset)
    return {
        "state": "loaded" if error is None else "failed",
        "error": error,
        "type": toolset.type.value if toolset.type else None,
        "tools": len(toolset.tools),
        "configs": list(accepted),
    }


def load(path):
    log.seek(0)
    log.truncate()
    with open(path, encoding="utf-8") as file:
        for variable in re.findall(r"{{\s*env\.(\w+)\s*}}", file.read()):
            os.environ[variable] = "http://fake:1" if "URL" in variable else "1"
    manager = ToolsetManager(custom_toolsets=[path])
    try:
        loaded = manager._list_all_toolsets(check_prerequisites=False)
        from benedict import benedict

        document = benedict(path)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:500], "entries": {}}
    by_name = {toolset.name: toolset for toolset in loaded}
    names = [name for section in ("toolsets", "mcp_servers") for name in (document.get(section) or {})]
    entries = {}
    for name in names:
        entries[name] = entry_of(by_name.get(handle_deprecated_toolset_name(name, builtin_names)))
    return {"error": None, "entries": entries}


with open(sys.argv[1], encoding="utf-8") as paths:
    json.dump([load(path) for path in json.load(paths)], sys.stdout)

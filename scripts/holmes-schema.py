"""What the installed HolmesGPT accepts in custom_toolset.yaml, as one JSON document on standard output.

Everything is read from the package itself: its pydantic models, its toolset classes and its tables of names. The
schemas describe what the models accept, including values that pydantic converts (its "lax mode").
"""

import importlib.metadata
import json
import logging
import os
import sys
import tempfile
from functools import partial

# These are read at import. They prevent reading a user's files and downloading price lists.
os.environ["HOLMES_CONFIGPATH_DIR"] = tempfile.mkdtemp()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
for name in ("DISABLE_PROMETHEUS_TOOLSET", "USE_LEGACY_KUBERNETES_LOGS", "CUSTOM_TOOLSET_LOCATION"):
    os.environ.pop(name, None)
logging.disable(logging.CRITICAL)

from holmes.core.tools import Toolset, ToolsetType, ToolsetYamlFromConfig, YAMLToolset  # noqa: E402
from holmes.core.toolset_manager import DEPRECATED_TOOLSET_NAMES, REMOVED_TOOLSET_NAMES  # noqa: E402
from holmes.plugins.toolsets import load_builtin_toolsets  # noqa: E402
from holmes.plugins.toolsets.database.database import DatabaseSubtype, DatabaseToolset  # noqa: E402
from holmes.plugins.toolsets.http.http_toolset import HttpToolset  # noqa: E402
from holmes.plugins.toolsets.mcp.toolset_mcp import RemoteMCPToolset  # noqa: E402
from holmes.plugins.toolsets.mongodb.mongodb import MongoDBToolset  # noqa: E402
from holmes.plugins.toolsets.multi_instance import _ATOMIC_GROUPS, MultiInstanceToolset  # noqa: E402
from pydantic.json_schema import GenerateJsonSchema, models_json_schema  # noqa: E402

NOT_NEEDED = ("title", "description", "examples", "default", "format", "readOnly", "writeOnly")
# From ToolsetConfig; "deprecated" describes what it does.
OF_ALL_CONFIGS = {"handle_deprecated_fields"}


class Accepted(GenerateJsonSchema):
    """JSON Schema plus what it cannot express: old names of fields, and validators written in Python."""

    def model_schema(self, schema):
        made = super().model_schema(schema)
        model = schema["cls"]
        deprecated = getattr(model, "_deprecated_mappings", None)
        if deprecated:
            made["deprecated"] = dict(sorted(deprecated.items()))
        decorators = model.__pydantic_decorators__
        names = set(decorators.model_validators) | set(decorators.field_validators)
        if names - OF_ALL_CONFIGS:
            made["validators"] = sorted(names - OF_ALL_CONFIGS)
        return made

    def callable_schema(self, schema):
        return {"not": {}}

    def is_instance_schema(self, schema):
        return {"not": {}}


def trimmed(schema):
    """A schema without user-visible texts; names of properties are not keywords."""
    if isinstance(schema, list):
        return [trimmed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: trimmed(each) for name, each in value.items()}
        elif key in ("deprecated", "validators", "required", "enum", "const") or (key, value) == ("format", "uri"):
            kept[key] = value
        elif key not in NOT_NEEDED:
            kept[key] = trimmed(value)
    return kept


def refused_fields(make, fields):
    """Fields that the model has but the constructor of the toolset does not accept; the key is the name."""
    refused = ["name"]
    for field in fields:
        if field == "name":
            continue
        try:
            make(**{field: None})
        except TypeError as error:
            if "multiple values" in str(error):
                refused.append(field)
        except Exception:
            pass  # The value is invalid, but the field is accepted.
    return sorted(refused)


toolsets = {toolset.name: toolset for toolset in load_builtin_toolsets()}
kinds = {
    ToolsetType.MCP.value: RemoteMCPToolset,
    ToolsetType.HTTP.value: HttpToolset,
    ToolsetType.DATABASE.value: DatabaseToolset,
    ToolsetType.MONGODB.value: MongoDBToolset,
}


def config_classes(toolset):
    if isinstance(toolset, MultiInstanceToolset):
        return list(toolset._child_cls.config_classes)
    return list(toolset.config_classes)


models = dict.fromkeys(
    [Toolset, ToolsetYamlFromConfig, YAMLToolset]
    + [config for toolset in toolsets.values() for config in config_classes(toolset)]
    + [config for kind in kinds.values() for config in kind.config_classes]
)
refs, document = models_json_schema(
    [(model, "validation") for model in models], schema_generator=Accepted, ref_template="{model}"
)


def ref(model):
    return refs[(model, "validation")]["$ref"]


def needs_config(toolset):
    configs = config_classes(toolset)
    return bool(configs) and all(
        any(field.is_required() for field in config.model_fields.values()) for config in configs
    )


def entry(model, required=(), refused=("name",), extra=(), configs=(), subtypes=None):
    """An entry of the file: the model and where the loader differs from it."""
    return {
        "model": ref(model),
        "required": list(required),
        "refused": sorted(refused),
        "extra": list(extra),
        "configs": [ref(config) for config in configs],
        **({} if subtypes is None else {"subtypes": sorted(subtypes)}),
    }


def kind_entry(kind):
    return entry(
        Toolset,
        refused=refused_fields(partial(kind, name="a"), Toolset.model_fields),
        extra=["url"] if kind is RemoteMCPToolset else [],
        configs=kind.config_classes,
        subtypes=[subtype.value for subtype in DatabaseSubtype] if kind is DatabaseToolset else None,
    )


result = {
    "holmesgpt": importlib.metadata.version("holmesgpt"),
    "removedNames": sorted(REMOVED_TOOLSET_NAMES),
    "renamedNames": dict(sorted(DEPRECATED_TOOLSET_NAMES.items())),
    "inheritedTogether": sorted(sorted(group) for group in _ATOMIC_GROUPS),
    "toolsets": {
        name: {
            "enabled": toolset.enabled,
            "tags": sorted(tag.value for tag in toolset.tags),
            "instances": isinstance(toolset, MultiInstanceToolset),
            "needsConfig": needs_config(toolset),
            "configs": [ref(config) for config in config_classes(toolset)],
        }
        for name, toolset in sorted(toolsets.items())
    },
    "entries": {
        "built-in": entry(ToolsetYamlFromConfig),
        "custom": entry(YAMLToolset, required=["description"]),
        **{name: kind_entry(kind) for name, kind in kinds.items()},
    },
    "models": trimmed(document["$defs"]),
}
json.dump(result, sys.stdout, indent=1, sort_keys=True)
print()

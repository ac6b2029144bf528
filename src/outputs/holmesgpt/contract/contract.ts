import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { checkBuiltInConfig, checkHttpConfig, checkKindConfig, checkServerConfig } from './config.ts';
import { meantToolset } from './known-toolsets.ts';
import {
  checkValue,
  fault,
  type HolmesFault,
  kindOf,
  notMapping,
  notOneOf,
  type Path,
  warning,
} from './model-check.ts';
import { type EntryType, HOLMES, own, type ToolsetModel } from './models.ts';

const SECTIONS = ['toolsets', 'mcp_servers'] as const;

/**
 * The parts of a `custom_toolset.yaml` that HolmesGPT would reject, or accept and ignore. Without faults, each entry loads
 * and its configuration is valid.
 * @param document the parsed file
 */
export function holmesFaults(document: unknown): HolmesFault[] {
  const whole = loadFaults(document);
  if (!isMapping(document)) return whole;
  const ignored = Object.keys(document)
    .filter((key) => !SECTIONS.some((section) => section === key))
    .map((key) => warning([key], 'HolmesGPT reads toolsets and mcp_servers only'));
  const twice = SECTIONS.flatMap((section, index) =>
    Object.keys(sectionOf(document, section))
      .filter((name) => Object.hasOwn(sectionOf(document, SECTIONS[1 - index] ?? section), name))
      .map((name) =>
        fault([section, name], 'is in toolsets and in mcp_servers; HolmesGPT uses only the latter'),
      ),
  );
  const entries = SECTIONS.flatMap((section) =>
    Object.entries(sectionOf(document, section)).flatMap(([name, entry]) =>
      isMapping(entry) ? entryFaults(section, name, entry) : [],
    ),
  );
  return [...whole, ...ignored, ...twice, ...entries];
}

function sectionOf(document: Mapping, section: string): Mapping {
  const entries = own(document, section);
  return mappingOf(entries);
}

/** The reasons for which HolmesGPT would reject the whole file. */
export function loadFaults(document: unknown): HolmesFault[] {
  if (!isMapping(document)) return [fault([], 'must be a mapping with toolsets or mcp_servers')];
  const faults = dottedKeys(document, []);
  for (const section of SECTIONS) {
    if (!Object.hasOwn(document, section)) continue;
    const entries = document[section];
    if (!isMapping(entries))
      faults.push(fault([section], `must be a mapping of names to entries, but is ${kindOf(entries)}`));
    else
      for (const [name, entry] of Object.entries(entries))
        if (!isMapping(entry)) faults.push(fault([section, name], notMapping(entry)));
  }
  if (
    faults.length === 0 &&
    SECTIONS.every((section) => Object.keys(sectionOf(document, section)).length === 0)
  )
    faults.push(fault([], 'has no toolset and no MCP server'));
  return faults;
}

function dottedKeys(value: unknown, path: Path): HolmesFault[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => dottedKeys(item, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here: Path = [...path, key];
    return [
      ...(key.includes('.') ? [fault(here, 'contains a dot, which HolmesGPT rejects in any key')] : []),
      ...dottedKeys(inner, here),
    ];
  });
}

function entryFaults(section: (typeof SECTIONS)[number], given: string, entry: Mapping): HolmesFault[] {
  const path: Path = [section, given];
  if (HOLMES.removedNames.includes(given)) return [warning(path, 'HolmesGPT has it no more and ignores it')];
  const renamed = own(HOLMES.renamedNames, given);
  const name = renamed ?? given;
  const old = renamed === undefined ? [] : [warning(path, `is an old name; write ${renamed}`)];
  const type = section === 'mcp_servers' ? 'mcp' : (entry.type ?? undefined);
  const toolset = own(HOLMES.toolsets, name);
  if (type !== undefined && !(typeof type === 'string' && Object.hasOwn(HOLMES.entries, type)))
    return [...old, fault([...path, 'type'], notOneOf(Object.keys(HOLMES.entries), type))];
  if (toolset !== undefined && type !== undefined && type !== 'built-in' && type !== 'custom')
    return [...old, fault(path, `is the name of a built-in toolset, so nothing of type ${type} can have it`)];
  const kind: EntryType =
    toolset !== undefined
      ? 'built-in'
      : type === undefined || type === 'built-in'
        ? 'custom'
        : (type as EntryType);
  const faults = [...old, ...fieldFaults(kind, entry, path)];
  if (kind === 'custom') return [...unknownName(name, entry, path), ...faults];
  // HolmesGPT does not validate the configuration of a disabled entry.
  if (isOff(entry.enabled)) return faults;
  const config = configFaults(name, kind, entry, path);
  if (toolset === undefined) return [...faults, ...config];
  return [...faults, ...builtInWarnings(toolset, entry, path, config)];
}

const isOff = (enabled: unknown): boolean =>
  enabled === false ||
  enabled === 0 ||
  (typeof enabled === 'string' && /^(0|off|f|false|n|no)$/i.test(enabled));

function configFaults(name: string, kind: EntryType, entry: Mapping, path: Path): HolmesFault[] {
  const here: Path = [...path, 'config'];
  const { configs } = HOLMES.entries[kind];
  const toolset = own(HOLMES.toolsets, name);
  if (toolset !== undefined) return checkBuiltInConfig(name, toolset, entry.config, here);
  if (kind === 'mcp') return checkServerConfig(entry, path);
  if (kind === 'http') return checkHttpConfig(entry.config, here);
  return checkKindConfig(configs, entry.config, here);
}

/** The configuration of a built-in toolset matters only where the toolset is enabled and loaded. */
function builtInWarnings(
  { enabled, tags }: ToolsetModel,
  entry: Mapping,
  path: Path,
  config: readonly HolmesFault[],
): HolmesFault[] {
  const unused = config.map((each) => ({ ...each, level: 'warning' as const }));
  if (!tags.includes('core') && !tags.includes('cluster'))
    return [...unused, warning(path, "HolmesGPT's server does not load it; it is for its command line")];
  if (enabled || (entry.enabled !== undefined && entry.enabled !== null)) return [...config];
  return [...unused, warning(path, 'has no enabled: true, so it stays switched off')];
}

/** An entry that names no built-in toolset is a custom one, and needs all fields of a custom one. */
function unknownName(name: string, entry: Mapping, path: Path): HolmesFault[] {
  if (Array.isArray(entry.tools) && entry.tools.length > 0) return [];
  return [
    fault(
      path,
      `is not a built-in toolset of HolmesGPT ${HOLMES.holmesgpt}, and has no tools of its own${meantToolset(name)}`,
    ),
  ];
}

/** The faults in the fields of an entry, except its configuration. */
function fieldFaults(kind: EntryType, entry: Mapping, path: Path): HolmesFault[] {
  const { model, required, refused, extra, subtypes } = HOLMES.entries[kind];
  const { properties = {} } = own(HOLMES.models, model) ?? {};
  const faults = required
    .filter((field) => !Object.hasOwn(entry, field))
    .map((field) => fault(path, `lacks ${field}`));
  for (const [field, value] of Object.entries(entry)) {
    const here: Path = [...path, field];
    const schema = own(properties, field);
    if (field === 'restricted_tools') faults.push(warning(here, 'has no effect any more'));
    else if (field === 'tools' && !refused.includes(field)) faults.push(...toolFaults(value, here));
    else if (extra.includes(field)) continue;
    else if (refused.includes(field) || schema === undefined)
      faults.push(fault(here, 'HolmesGPT has no such field here'));
    else if (field === 'transformers') faults.push(...transformerFaults(value, here));
    else if (field !== 'config' && field !== 'type') faults.push(...checkValue(schema, value, here));
  }
  const { subtype } = entry;
  if (
    subtypes !== undefined &&
    subtype !== undefined &&
    subtype !== null &&
    !subtypes.includes(String(subtype))
  )
    faults.push(fault([...path, 'subtype'], notOneOf(subtypes, subtype)));
  return faults;
}

/** HolmesGPT skips an invalid transformer. */
function transformerFaults(value: unknown, path: Path): HolmesFault[] {
  if (value === null || (Array.isArray(value) && value.every(isMapping))) return [];
  return [
    fault(
      path,
      `must be a list of mappings, but is ${Array.isArray(value) ? 'a list of others' : kindOf(value)}`,
    ),
  ];
}

function toolFaults(value: unknown, path: Path): HolmesFault[] {
  if (!Array.isArray(value)) return [fault(path, `must be a list, but is ${kindOf(value)}`)];
  return value.flatMap((tool: unknown, index) => {
    const here: Path = [...path, index];
    const faults = checkValue({ $ref: 'YAMLTool' }, tool, here);
    if (!isMapping(tool)) return faults;
    const { command, script } = tool;
    return (command ?? script ?? undefined) === undefined
      ? [...faults, fault(here, 'lacks command or script')]
      : faults;
  });
}

import { endpointUrl, type Problem } from '../../../model/discovery.ts';
import { describe } from '../../../planning/description.ts';
import type { Tool } from '../../../planning/tools.ts';
import type { HolmesToolset } from '../contract/schema.ts';
import { urlLine, withBaseUrls } from './base-urls.ts';
import { distinctNames, renamed } from './instance-names.ts';
import type { HolmesEntry } from './mapping.ts';

export type Kind<K extends string> = Extract<HolmesEntry, Record<K, unknown>>;
export type Toolsets = Kind<'toolsets'>;

/** A tool with its mapping, all of one kind. */
export interface Entry<E> {
  readonly tool: Tool;
  readonly holmes: E;
  /** The fields of the backend's entry. */
  readonly fields: Record<string, unknown>;
  /** The tenant that it is for, if its backend has several entries. */
  readonly tenant?: string;
}

/** Whether a toolset has no fields for a backend: the agent's environment has the address and the credentials. */
export const isUnconfigured = ({ config }: Toolsets): boolean => Object.keys(config).length === 0;

/** The name that overrides give a backend. */
function writtenName({ holmes: { nameField }, fields }: Entry<Toolsets>): string | undefined {
  const name = fields[nameField];
  return (typeof name === 'string' && name !== '') || typeof name === 'number' ? String(name) : undefined;
}

/**
 * The name of one tenant's entry. It has the default name of the tool and no display name in it, which another Service could ask for with the tenant's id, and a
 * colon, which the name of no Service and of no namespace has.
 */
const tenantName = ({ tool, key }: Tool, tenant: string): string => {
  const [namespace, service, ...more] = key.split('/');
  const isService = service !== undefined && more.length === 0;
  return `${isService ? `${service.replace(':', '_')}.${namespace}` : tool}:${tenant}`;
};

/** The list of backends of a toolset, each with its own name. */
export function listed(
  toolset: string,
  entries: readonly Entry<Toolsets>[],
  report: (problem: Problem) => void = () => {},
): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('a toolset without backends');
  const { list, nameField } = first.holmes;
  const claims = entries.map((entry) => ({
    key: entry.tool.key,
    tool: entry.tenant === undefined ? entry.tool.tool : tenantName(entry.tool, entry.tenant),
    written: writtenName(entry),
  }));
  const names = distinctNames(claims);
  for (const problem of renamed(toolset, claims, names)) report(problem);
  return {
    enabled: true,
    config: {
      [list]: entries.map(({ fields }, index) => ({ [nameField]: '', ...fields, [nameField]: names[index] })),
    },
  };
}

/** A toolset's only backend, outside a list. */
export const single = ({ holmes, fields }: Entry<Toolsets>): HolmesToolset =>
  isUnconfigured(holmes) ? { enabled: true } : { enabled: true, config: fields };

/**
 * The entry of a built-in toolset. A single backend without a name of its own is written without a list where the agent
 * supports that.
 */
export function builtInToolset(
  toolset: string,
  entries: readonly Entry<Toolsets>[],
  report?: (problem: Problem) => void,
): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('a toolset without backends');
  const isAlone = entries.length === 1 && first.holmes.list === 'instances';
  return isUnconfigured(first.holmes) || (isAlone && writtenName(first) === undefined)
    ? single(first)
    : listed(toolset, entries, report);
}

/** An HTTP toolset for all backends of one kind: GET only, each host with its own paths. */
export function httpToolset(entries: readonly Entry<Kind<'http'>>[]): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('an HTTP toolset without backends');
  const urls = entries.map(({ tool }) => {
    const own = describe(tool) === tool.kind ? '' : `: ${describe(tool)}`;
    return urlLine(endpointUrl(tool.endpoint), ` (${tool.tool})${own}`);
  });
  return {
    enabled: true,
    type: 'http',
    description: first.tool.kind,
    llm_instructions: withBaseUrls(first.holmes.http.instructions, urls),
    config: {
      endpoints: entries.map(({ tool, holmes, fields }) => ({
        hosts: [`${tool.endpoint.scheme}://${tool.endpoint.host}:${tool.endpoint.port}`],
        paths: holmes.http.paths.map((path) => `${tool.endpoint.path}${path}`),
        methods: ['GET'],
        ...fields,
      })),
    },
  };
}

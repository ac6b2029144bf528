import { parse, stringify } from 'yaml';
import type { Credential, Credentials } from '../model/credentials.ts';
import type { HolmesEntry } from '../model/detector.ts';
import { type DiscoveredService, endpointUrl, type Problem } from '../model/discovery.ts';
import { serviceKey } from '../model/service.ts';
import { credentialOf, endpointAuth, serverHeaders, toolsetFields } from './credentials.ts';
import { describe } from './description.ts';
import {
  type HolmesDocument,
  type HolmesMcpServer,
  type HolmesToolset,
  holmesSchema,
} from './holmes-schema.ts';

/** Toolsets of the agent's own cluster: they need no discovery, and the file must never be empty. */
const ALWAYS: Readonly<Record<string, HolmesToolset>> = {
  'kubernetes/core': { enabled: true },
  'kubernetes/logs': { enabled: true },
};

/** What is said of an entry that is left out. */
const STILL = 'it is in toolset.json';

type Kind<K extends string> = Extract<HolmesEntry, Record<K, unknown>>;
type Toolsets = Kind<'toolsets'>;

/** A service whose entry is of one kind. */
interface Entry<E> {
  readonly service: DiscoveredService;
  readonly holmes: E;
  /** What is written of the backend. */
  readonly fields: Record<string, unknown>;
}

function filled(template: string, service: DiscoveredService): string {
  const { host, port } = service.endpoint;
  return template
    .replaceAll('{endpoint}', endpointUrl(service.endpoint))
    .replaceAll('{authority}', `${host}:${port}`)
    .replaceAll('{tool}', service.tool);
}

/** One backend stands flat where the agent allows it; several stand in a list, each by its tool's name. */
function builtIn(entries: readonly Entry<Toolsets>[]): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('a toolset without backends');
  const { list, nameField, config } = first.holmes;
  if (entries.length === 1 && list === 'instances')
    return Object.keys(config).length === 0 ? { enabled: true } : { enabled: true, config: first.fields };
  return {
    enabled: true,
    config: { [list]: entries.map(({ service, fields }) => ({ [nameField]: service.tool, ...fields })) },
  };
}

/** An HTTP toolset for all backends of one kind: GET only, each host with its own paths. */
function http(entries: readonly Entry<Kind<'http'>>[]): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('an HTTP toolset without backends');
  const urls = entries.map(({ service }) => {
    const own = service.tenantDescription ? `: ${describe(service)}` : '';
    return `- ${endpointUrl(service.endpoint)} (${service.tool})${own}`;
  });
  return {
    enabled: true,
    type: 'http',
    description: first.service.kind,
    llm_instructions: `${first.holmes.http.instructions.trimEnd()}\nBase URLs:\n${urls.join('\n')}\n`,
    config: {
      endpoints: entries.map(({ service, holmes, fields }) => ({
        hosts: [`${service.endpoint.scheme}://${service.endpoint.host}:${service.endpoint.port}`],
        paths: holmes.http.paths.map((path) => `${service.endpoint.path}${path}`),
        methods: ['GET'],
        ...fields,
      })),
    },
  };
}

/** What is written of a backend, or why nothing is. */
type Written = { readonly fields: Record<string, unknown> } | { readonly leftOut: string };

const MISSING = 'the agent needs credentials for it, and none are configured';

/** What is written of one backend, credentials included. */
function written(service: DiscoveredService, given: Credential | undefined): Written {
  const { holmes, verdict } = service;
  if ('none' in holmes) return { leftOut: holmes.none };
  if ('mcp' in holmes && verdict.facts?.eras === 'modern')
    return { leftOut: 'it speaks MCP 2026-07-28 only, which the agent does not' };
  const required = verdict.authRequired || ('toolsets' in holmes && holmes.credentials === 'required');
  if (given === undefined) {
    if (required) return { leftOut: MISSING };
    return { fields: 'toolsets' in holmes ? templateFields(service, holmes) : {} };
  }
  if ('toolsets' in holmes) {
    // Without fields of its own, the agent's environment has the credentials: that they are configured is enough.
    if (Object.keys(holmes.config).length === 0) return { fields: {} };
    const fields = toolsetFields(given, holmes.auth);
    return typeof fields === 'string'
      ? { leftOut: `credentials: ${fields}` }
      : { fields: { ...templateFields(service, holmes), ...fields } };
  }
  const fields = 'mcp' in holmes ? serverHeaders(given) : endpointAuth(given);
  if (typeof fields === 'string') return { leftOut: `credentials: ${fields}` };
  return { fields: { ['mcp' in holmes ? 'headers' : 'auth']: fields } };
}

function templateFields(service: DiscoveredService, holmes: Toolsets): Record<string, string> {
  return Object.fromEntries(
    Object.entries(holmes.config).map(([field, template]) => [field, filled(template, service)]),
  );
}

/** What the agent is like for which the document is made. */
export interface HolmesOptions {
  readonly credentials: Credentials;
  /** `0.20`: one backend for each built-in toolset; `0.32` and newer: several, as instances. */
  readonly holmesgptVersion: '0.20' | '0.32';
}

/** The newest agent, with no credentials. */
export const NEWEST: HolmesOptions = { credentials: {}, holmesgptVersion: '0.32' };

function note(service: DiscoveredService, what: string, fix: string): Problem {
  return { where: `Service ${serviceKey(service.service)}`, what: `${what} (${service.type})`, fix };
}

/**
 * `custom_toolset.yaml`: what HolmesGPT loads.
 * @param services in the order in which they shall stand
 */
export function holmesDocument(
  services: readonly DiscoveredService[],
  options: HolmesOptions = NEWEST,
): { readonly text: string; readonly notes: readonly Problem[] } {
  const notes: Problem[] = [];
  const servers: Record<string, HolmesMcpServer> = {};
  const byToolset = new Map<string, Entry<Toolsets>[]>();
  const byHttpType = new Map<string, Entry<Kind<'http'>>[]>();
  const add = <E>(map: Map<string, E[]>, key: string, entry: E): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [entry]);
    else list.push(entry);
  };
  const leaveOut = (service: DiscoveredService, why: string): void =>
    void notes.push(note(service, `is left out of custom_toolset.yaml: ${why}`, STILL));
  for (const service of services) {
    const { holmes } = service;
    const result = written(service, credentialOf(options.credentials, service));
    if ('leftOut' in result) leaveOut(service, result.leftOut);
    else if ('mcp' in holmes)
      servers[serviceKey(service.service)] = {
        description: describe(service),
        config: { url: endpointUrl(service.endpoint), mode: service.mode, ...result.fields },
      };
    else if ('http' in holmes) add(byHttpType, service.detector, { service, holmes, fields: result.fields });
    else if ('toolsets' in holmes)
      for (const name of holmes.toolsets) add(byToolset, name, { service, holmes, fields: result.fields });
  }
  const toolsets: Record<string, HolmesToolset> = { ...ALWAYS };
  for (const [name, entries] of byToolset) {
    const [first] = entries;
    const single = options.holmesgptVersion === '0.20' && first?.holmes.list === 'instances';
    toolsets[name] = builtIn(single ? entries.slice(0, 1) : entries);
    for (const { service } of single ? entries.slice(1) : [])
      leaveOut(
        service,
        `HolmesGPT before 0.32 takes one backend for ${name}, and ${first?.service.tool} is it`,
      );
  }
  for (const [detector, entries] of byHttpType) toolsets[detector] = http(entries);
  const document = { toolsets, ...(Object.keys(servers).length === 0 ? {} : { mcp_servers: servers }) };
  return { text: textOf(document), notes };
}

function textOf(document: HolmesDocument): string {
  const toolsets = Object.fromEntries(Object.entries(document.toolsets).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = stringify({ ...document, toolsets }, { lineWidth: 0, aliasDuplicateObjects: false });
  holmesSchema.parse(parse(text));
  return text;
}

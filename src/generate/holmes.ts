import { parse, stringify } from 'yaml';
import type { HolmesEntry } from '../model/detector.ts';
import { type DiscoveredService, endpointUrl, type Problem } from '../model/discovery.ts';
import { serviceKey } from '../model/service.ts';
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
}

function filled(template: string, service: DiscoveredService): string {
  const { host, port } = service.endpoint;
  return template
    .replaceAll('{endpoint}', endpointUrl(service.endpoint))
    .replaceAll('{authority}', `${host}:${port}`)
    .replaceAll('{tool}', service.tool);
}

function backendConfig({ service, holmes }: Entry<Toolsets>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(holmes.config).map(([field, template]) => [field, filled(template, service)]),
  );
}

/** One backend stands flat where the agent allows it; several stand in a list, each by its tool's name. */
function builtIn(entries: readonly Entry<Toolsets>[]): HolmesToolset {
  const [first] = entries;
  if (first === undefined) throw new Error('a toolset without backends');
  const { list, nameField } = first.holmes;
  if (entries.length === 1 && list === 'instances') return { enabled: true, config: backendConfig(first) };
  return {
    enabled: true,
    config: {
      [list]: entries.map((entry) => ({ [nameField]: entry.service.tool, ...backendConfig(entry) })),
    },
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
      endpoints: entries.map(({ service, holmes }) => ({
        hosts: [`${service.endpoint.scheme}://${service.endpoint.host}:${service.endpoint.port}`],
        paths: holmes.http.paths.map((path) => `${service.endpoint.path}${path}`),
        methods: ['GET'],
      })),
    },
  };
}

function note(service: DiscoveredService, what: string, fix: string): Problem {
  return { where: `Service ${serviceKey(service.service)}`, what: `${what} (${service.type})`, fix };
}

/** An MCP server's entry; the agent speaks the era with a handshake only (seen with HolmesGPT 0.45.0). */
function mcpServer(
  service: DiscoveredService,
  servers: Record<string, HolmesMcpServer>,
  notes: Problem[],
): void {
  const leftOut = (why: string): void =>
    void notes.push(note(service, `is left out of custom_toolset.yaml: ${why}`, STILL));
  if (service.verdict.facts?.eras === 'modern')
    leftOut('it speaks MCP 2026-07-28 only, which the agent does not');
  else if (service.verdict.authRequired)
    leftOut('the agent needs credentials for it, and none are configured');
  else
    servers[serviceKey(service.service)] = {
      description: describe(service),
      config: { url: endpointUrl(service.endpoint), mode: service.mode },
    };
}

/**
 * `custom_toolset.yaml`: what HolmesGPT loads.
 * @param services in the order in which they shall stand
 */
export function holmesDocument(services: readonly DiscoveredService[]): {
  readonly text: string;
  readonly notes: readonly Problem[];
} {
  const notes: Problem[] = [];
  const servers: Record<string, HolmesMcpServer> = {};
  const byToolset = new Map<string, Entry<Toolsets>[]>();
  const byHttpType = new Map<string, Entry<Kind<'http'>>[]>();
  const add = <E>(map: Map<string, E[]>, key: string, entry: E): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [entry]);
    else list.push(entry);
  };
  for (const service of services) {
    const { holmes } = service;
    if ('none' in holmes) notes.push(note(service, 'is not in custom_toolset.yaml', holmes.none));
    else if ('mcp' in holmes) mcpServer(service, servers, notes);
    else if (service.verdict.authRequired || ('toolsets' in holmes && holmes.credentials === 'required'))
      notes.push(
        note(
          service,
          'is left out of custom_toolset.yaml: the agent needs credentials for it, and none are configured',
          STILL,
        ),
      );
    else if ('http' in holmes) add(byHttpType, service.detector, { service, holmes });
    else for (const name of holmes.toolsets) add(byToolset, name, { service, holmes });
  }
  const toolsets: Record<string, HolmesToolset> = { ...ALWAYS };
  for (const [name, entries] of byToolset) toolsets[name] = builtIn(entries);
  for (const [detector, entries] of byHttpType) toolsets[detector] = http(entries);
  return {
    text: written({ toolsets, ...(Object.keys(servers).length === 0 ? {} : { mcp_servers: servers }) }),
    notes,
  };
}

function written(document: HolmesDocument): string {
  const toolsets = Object.fromEntries(Object.entries(document.toolsets).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = stringify({ ...document, toolsets }, { lineWidth: 0, aliasDuplicateObjects: false });
  holmesSchema.parse(parse(text));
  return text;
}

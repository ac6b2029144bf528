import { endpointUrl } from '../../model/discovery.ts';
import { displayKey, partsOf } from '../../model/key.ts';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import { type ServiceKey, toolKey } from '../../model/service.ts';
import type { Tool } from '../../planning/tools.ts';
import { entryOf } from './mapping.ts';
import { own, readMapping } from './yaml.ts';

/** Who stands in the published `custom_toolset.yaml`: where there is room for one, that one stays while it works. */
export interface Holders {
  /** Whether a toolset leads to a tool's backend. */
  readonly toolset: (name: string, tool: Tool) => boolean;
  /** Whether a tool's backend is an MCP server there. */
  readonly server: (tool: Tool) => boolean;
  /** Whether a tool's backend is anywhere in it. */
  readonly any: (tool: Tool) => boolean;
}

/** The file that was read last: it is asked for in each pass, and changes with a publication. */
let last: { readonly text: string; readonly value: Mapping } | undefined;

function mappingIn(text: string): Mapping {
  if (last?.text === text) return last.value;
  const read = readMapping(text);
  last = { text, value: 'value' in read ? read.value : {} };
  return last.value;
}

/** The texts of a toolset's configuration, those of its instances included. */
function textsOf(config: unknown): string[] {
  if (!isMapping(config)) return [];
  return Object.values(config)
    .flat()
    .flatMap((value) => (isMapping(value) ? Object.values(value) : value))
    .filter((value) => typeof value === 'string');
}

/** The host of a URL, or of `HOST:PORT`. */
const hostOf = (text: string): string => /^(?:[a-z]+:\/\/)?([^/:]+)/.exec(text)?.[1] ?? '';

/** `NAMESPACE/NAME` of the Service that a host belongs to, whatever the domain of the cluster. */
function serviceOf(host: string): string | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? [];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

/** The same of a Service that is known. A host is that of a Service of the home cluster, so it is that of no other. */
const addressOf = (key: ServiceKey): string => displayKey(partsOf(key));

/** Where a toolset leads: the texts of its configuration, and the Services whose hosts are in them. */
interface Places {
  readonly texts: ReadonlySet<string>;
  readonly services: ReadonlySet<string | undefined>;
}

/** The holders in a published text; nobody without one, or in one that is something else. It is read when it is asked. */
export function holdersIn(text: string | undefined): Holders {
  const entry = (part: string, name: string): unknown =>
    text === undefined ? undefined : own(own(mappingIn(text), part), name);
  const known = new Map<string, Places>();
  const placesOf = (name: string): Places => {
    const texts = known.has(name) ? [] : textsOf(own(entry('toolsets', name), 'config'));
    const places = known.get(name) ?? {
      texts: new Set(texts),
      services: new Set(texts.map((each) => serviceOf(hostOf(each)))),
    };
    known.set(name, places);
    return places;
  };
  const toolset = (name: string, { members, endpoint }: Tool): boolean => {
    const { texts, services } = placesOf(name);
    // Several Services may lead to one host that the operator allows, so there the whole URL counts.
    const urls = [endpointUrl(endpoint), `${endpoint.host}:${endpoint.port}`];
    return urls.some((url) => texts.has(url)) || members.some((key) => services.has(addressOf(key)));
  };
  const server = ({ key, members }: Tool): boolean =>
    [key, ...members.map((member) => toolKey(partsOf(member)))].some(
      (each) => entry('mcp_servers', each) !== undefined,
    );
  return {
    toolset,
    server,
    any(tool) {
      const holmes = entryOf(tool);
      if ('toolsets' in holmes)
        return (holmes.toolsets as readonly string[]).some((name) => toolset(name, tool));
      return 'mcp' in holmes ? server(tool) : toolset(tool.detector, tool);
    },
  };
}

import { endpointUrl } from '../../model/discovery.ts';
import { displayKey, partsOf } from '../../model/key.ts';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Tool } from '../../planning/tools.ts';
import { own, readMapping } from './yaml.ts';

/** Who stands in the published `custom_toolset.yaml`: where there is room for one, that one stays while it works. */
export interface Holders {
  /** Whether a toolset leads to a tool's backend. */
  readonly toolset: (name: string, tool: Tool) => boolean;
  /** Whether a tool's backend is an MCP server there. */
  readonly server: (tool: Tool) => boolean;
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

/** Whether a host is that of a Service, whatever the domain of the cluster. Identity is namespace and name. */
function isHostOf(host: string, key: ServiceKey): boolean {
  const { namespace, name } = partsOf(key);
  const own = `${name}.${namespace}.svc`;
  return host === own || host.startsWith(`${own}.`);
}

/** The holders in a published text; nobody without one, or in one that is something else. It is read when it is asked. */
export function holdersIn(text: string | undefined): Holders {
  const entryOf = (part: string, name: string): unknown =>
    text === undefined ? undefined : own(own(mappingIn(text), part), name);
  return {
    toolset(name, { members, endpoint }) {
      const texts = textsOf(own(entryOf('toolsets', name), 'config'));
      // Several Services may lead to one host that the operator allows, so there the whole URL counts.
      const places = [endpointUrl(endpoint), `${endpoint.host}:${endpoint.port}`];
      return texts.some(
        (text) => places.includes(text) || members.some((key) => isHostOf(hostOf(text), key)),
      );
    },
    server: ({ key, members }) =>
      [key, ...members.map((member) => displayKey(partsOf(member)))].some(
        (each) => entryOf('mcp_servers', each) !== undefined,
      ),
  };
}

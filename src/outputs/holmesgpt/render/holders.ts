import { endpointUrl } from '../../../model/discovery.ts';
import { displayKey, partsOf } from '../../../model/key.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { objectOf } from '../../../model/part.ts';
import { type ServiceKey, toolKey } from '../../../model/service.ts';
import type { Tool } from '../../../planning/tools.ts';
import { own, readMapping } from '../yaml.ts';
import { entryOf } from './mapping.ts';

/**
 * The backends in the published `custom_toolset.yaml`. Where there is room for only one, the current one stays while it
 * works.
 */
export interface Holders {
  /** Whether a toolset uses a tool's backend. */
  readonly toolset: (name: string, tool: Tool) => boolean;
  /** Whether a tool's backend is an MCP server of the file. */
  readonly server: (tool: Tool) => boolean;
  /** Whether a tool's backend is in the file at all. */
  readonly any: (tool: Tool) => boolean;
}

interface File {
  readonly text: string;
  readonly value: Mapping;
}

/** The parsed file that was used last. Each pass needs it, and only a publication changes it. */
let last: File | undefined;
/** The file that was rendered last, which is published next. */
let next: File | undefined;

/** Tells of what a text was rendered, so that it is not parsed once it is published. */
export function rendered(text: string, value: Mapping): void {
  next = { text, value };
}

function mappingIn(text: string): Mapping {
  const known = [last, next].find((file) => file?.text === text);
  const read = known ?? readMapping(text);
  last = { text, value: 'value' in read ? read.value : {} };
  return last.value;
}

/** The texts in a toolset's configuration and its instances. */
function textsOf(config: unknown): string[] {
  if (!isMapping(config)) return [];
  return Object.values(config)
    .flat()
    .flatMap((value) => (isMapping(value) ? Object.values(value) : value))
    .filter((value) => typeof value === 'string');
}

/** The host of a URL, or of `HOST:PORT`. */
const hostOf = (text: string): string => /^(?:[a-z]+:\/\/)?([^/:]+)/.exec(text)?.[1] ?? '';

/** `NAMESPACE/NAME` of the Service that a host belongs to, in any cluster domain. */
function serviceOf(host: string): string | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? [];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

/** The same for a known Service. Hosts are always of the home cluster, so a Service of another cluster never matches. */
const addressOf = (key: ServiceKey): string => displayKey(objectOf(partsOf(key)));

/** The backends of a toolset: the texts of its configuration, and the Services whose hosts are among them. */
interface Places {
  readonly texts: ReadonlySet<string>;
  readonly services: ReadonlySet<string | undefined>;
}

/** The holders in a published text, which is parsed on first use. A missing or unreadable text has none. */
export function holdersIn(text: string | undefined): Holders {
  const entry = (part: string, name: string): unknown =>
    text === undefined ? undefined : own(own(mappingIn(text), part), name);
  const found = new Map<string, Places>();
  const placesOf = (name: string): Places => {
    const texts = found.has(name) ? [] : textsOf(own(entry('toolsets', name), 'config'));
    const places = found.get(name) ?? {
      texts: new Set(texts),
      services: new Set(texts.map((each) => serviceOf(hostOf(each)))),
    };
    found.set(name, places);
    return places;
  };
  const toolset = (name: string, { members, endpoint }: Tool): boolean => {
    const { texts, services } = placesOf(name);
    // Several Services may share one host that the operator allows, so the whole URL is compared.
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

import { createHash } from 'node:crypto';
import type { Interest } from '../model/interest.ts';
import type { Service, ServicePort } from '../model/service.ts';

type Texts = Readonly<Record<string, string>>;
type Parts = Pick<Service, 'labels' | 'annotations' | 'selector' | 'ports'>;

/** Most ports of a Service that are kept, and most labels and selector entries beside those that rules look at. */
export const MOST_PORTS = 64;
export const MOST_ENTRIES = 50;
/** Longest annotation that is kept, in characters. Nothing that rules read may be as long. */
const LONGEST_ANNOTATION = 4096;

/** A copy of a text that does not keep alive the much longer one that it is a part of. */
const copied = (text: string): string => Buffer.from(text).toString();

function annotationsOf(all: Texts, { annotations }: Interest): Texts {
  const kept: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(all))
    if (annotations(key))
      kept[key] = text.length > LONGEST_ANNOTATION ? copied(text.slice(0, LONGEST_ANNOTATION)) : text;
  return kept;
}

/** The first entries, and all that rules look at. */
function entriesOf(all: Texts, wanted: ReadonlySet<string>): Texts {
  const entries = Object.entries(all);
  if (entries.length <= MOST_ENTRIES) return all;
  const kept: Record<string, string> = Object.create(null);
  for (const [index, [key, text]] of entries.entries())
    if (index < MOST_ENTRIES || wanted.has(key)) kept[key] = text;
  return kept;
}

/** The ports that annotations name come first, then those that rules name, then the first ones; in their order. */
function portsOf(
  ports: readonly ServicePort[],
  annotations: Texts,
  interest: Interest,
): readonly ServicePort[] {
  if (ports.length <= MOST_PORTS) return ports;
  const named = new Set<string>();
  for (const text of Object.values(annotations)) {
    named.add(text.trim());
    const url = URL.parse(text);
    if (url !== null) named.add(url.port || (url.protocol === 'https:' ? '443' : '80'));
  }
  const turn = (port: ServicePort): number => {
    if (named.has(String(port.port)) || (port.name !== undefined && named.has(port.name))) return 0;
    return interest.port(port) ? 1 : 2;
  };
  const turns = Map.groupBy(ports.keys(), (index) => turn(ports[index] as ServicePort));
  const chosen = [0, 1, 2].flatMap((each) => turns.get(each) ?? []).slice(0, MOST_PORTS);
  return chosen.sort((a, b) => a - b).map((index) => ports[index] as ServicePort);
}

/** Equal for equal selectors, whatever the order of their entries. */
function hashOf(selector: Texts): string {
  const entries = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64');
}

/** The parts of a Service that are kept, and how many there are where that is not all. Annotations: those that rules read. */
export function trimmed(all: Parts, interest: Interest): Parts & Pick<Service, 'selectorHash' | 'trimmed'> {
  const annotations = annotationsOf(all.annotations, interest);
  const labels = entriesOf(all.labels, interest.labels);
  const selector = entriesOf(all.selector, interest.selector);
  const ports = portsOf(all.ports, annotations, interest);
  const counts = {
    ...(ports === all.ports ? {} : { ports: all.ports.length }),
    ...(labels === all.labels ? {} : { labels: Object.keys(all.labels).length }),
    ...(selector === all.selector ? {} : { selector: Object.keys(all.selector).length }),
  };
  return {
    labels,
    annotations,
    selector,
    ports,
    ...(selector === all.selector ? {} : { selectorHash: hashOf(all.selector) }),
    ...(Object.keys(counts).length === 0 ? {} : { trimmed: counts }),
  };
}

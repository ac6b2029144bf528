import { createHash } from 'node:crypto';
import type { Interest } from '../model/interest.ts';
import type { Service, ServicePort } from '../model/service.ts';

type Texts = Readonly<Record<string, string>>;
type Parts = Pick<Service, 'labels' | 'annotations' | 'selector' | 'ports'>;

/** Maximum number of ports, and of labels and selector entries in addition to those that rules use. */
export const MAX_PORTS = 64;
export const MAX_ENTRIES = 50;
/** Maximum length of an annotation in characters. Rules accept only shorter values. */
const MAX_ANNOTATION = 4096;

/** Copies a substring, so that it does not retain the much longer original. */
const copied = (text: string): string => Buffer.from(text).toString();

function annotationsOf(all: Texts, { annotations }: Interest): Texts {
  const kept: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(all))
    if (annotations(key))
      kept[key] = text.length > MAX_ANNOTATION ? copied(text.slice(0, MAX_ANNOTATION)) : text;
  return kept;
}

/** The first entries, and all entries that rules use. A Service can have thousands, so it makes no pair of each. */
function entriesOf(all: Texts, wanted: ReadonlySet<string>): Texts {
  const keys = Object.keys(all);
  if (keys.length <= MAX_ENTRIES) return all;
  const kept: Record<string, string> = Object.create(null);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (index < MAX_ENTRIES || wanted.has(key)) kept[key] = all[key] as string;
  }
  return kept;
}

/** Ports in annotations take precedence over ports in rules, which take precedence over others. Keeps the order of the ports. */
function portsOf(
  ports: readonly ServicePort[],
  annotations: Texts,
  interest: Interest,
): readonly ServicePort[] {
  if (ports.length <= MAX_PORTS) return ports;
  const named = new Set<string>();
  for (const text of Object.values(annotations)) {
    named.add(text.trim());
    const url = URL.parse(text);
    if (url !== null) named.add(url.port || (url.protocol === 'https:' ? '443' : '80'));
  }
  const precedence = (port: ServicePort): number => {
    if (named.has(String(port.port)) || (port.name !== undefined && named.has(port.name))) return 0;
    return interest.port(port) ? 1 : 2;
  };
  const byPrecedence = Map.groupBy(ports.keys(), (index) => precedence(ports[index] as ServicePort));
  const chosen = [0, 1, 2].flatMap((each) => byPrecedence.get(each) ?? []).slice(0, MAX_PORTS);
  return chosen.sort((a, b) => a - b).map((index) => ports[index] as ServicePort);
}

/** A hash of a selector that does not depend on the order of its entries. */
function selectorHash(selector: Texts): string {
  const entries = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64');
}

/** Limits the parts of a Service to those that are kept, with the original counts if some were dropped. */
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
    ...(selector === all.selector ? {} : { selectorHash: selectorHash(all.selector) }),
    ...(Object.keys(counts).length === 0 ? {} : { trimmed: counts }),
  };
}

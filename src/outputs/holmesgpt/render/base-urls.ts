import { isMapping, type Mapping } from '../../../model/mapping.ts';

/** The heading of the list of URLs in the instructions of an HTTP toolset. */
const HEADING = '\nBase URLs:\n';

/** Appends the URLs that the model may call to instructions, one per line. @param lines from `urlLine` */
export const withBaseUrls = (instructions: string, lines: readonly string[]): string =>
  `${instructions.trimEnd()}${HEADING}${lines.map((line) => `${line}\n`).join('')}`;

/** A line of the list. @param says a remark for users and models */
export const urlLine = (url: string, says = ''): string => `- ${url}${says}`;

const hostsOf = (endpoint: unknown): string[] =>
  isMapping(endpoint) && Array.isArray(endpoint.hosts)
    ? endpoint.hosts.filter((host) => typeof host === 'string')
    : [];

/** The URL of a line, without its path. */
function originOf(line: string): string | undefined {
  const [, origin] = /^- (\w+:\/\/[^/\s]+)/.exec(line) ?? [];
  return origin;
}

/**
 * Updates the URLs in generated instructions to the endpoints of the merged document: hand-written ones come first, and
 * generated ones that a hand-written endpoint replaced are removed. A text without such a list stays unchanged.
 */
export function baseUrlsOf(instructions: string, endpoints: readonly Mapping[]): string {
  const at = instructions.indexOf(HEADING);
  if (at < 0) return instructions;
  const lines = instructions.slice(at + HEADING.length).split('\n');
  const hosts = endpoints.flatMap(hostsOf);
  const known = new Set(lines.map(originOf));
  const kept = lines.filter((line) => hosts.includes(originOf(line) ?? ''));
  const added = hosts.filter((host) => !known.has(host)).map((host) => urlLine(host));
  return withBaseUrls(instructions.slice(0, at), [...new Set(added), ...kept]);
}

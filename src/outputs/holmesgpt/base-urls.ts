import { isMapping, type Mapping } from '../../model/mapping.ts';

/** What stands before the list of URLs in the instructions of an HTTP toolset. */
const HEADING = '\nBase URLs:\n';

/** Instructions that end with the URLs that the model may call, a line for each. @param lines as `urlLine` makes them */
export const withBaseUrls = (instructions: string, lines: readonly string[]): string =>
  `${instructions.trimEnd()}${HEADING}${lines.map((line) => `${line}\n`).join('')}`;

/** A line of the list. @param says what a person or model should know of it */
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
 * Generated instructions with the URLs of the endpoints that are there in the end: those that a person put in come
 * first, and those that gave way to a person's are not named any more. A text without such a list stays as it is.
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

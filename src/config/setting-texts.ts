import { DNS_LABEL } from '../model/dns-label.ts';
import { didYouMean } from '../model/nearest.ts';
import { portFault } from '../model/port-fault.ts';
import { shown } from '../model/visible.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** The fault of a setting's text. In a message, it follows the text. */
export class Fault {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

/** The format of a setting: how its text becomes a value, and how the help describes it. */
export interface Form<T> {
  readonly read: (text: string) => T | Fault;
  /** The placeholder of a value in the help, such as `duration`. */
  readonly placeholder: string;
  /** The range of values in the help; empty if the placeholder says enough. */
  readonly range: string;
  /** All values, if there are only a few. */
  readonly words?: readonly string[];
  /** The flag can be repeated, which means the same as a comma-separated list. */
  readonly repeatable?: boolean;
}

const form = <T>(placeholder: string, read: (text: string) => T | Fault, range = ''): Form<T> => ({
  read,
  placeholder,
  range,
});

const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Maximum length of a DNS name, and of the name of an object, in characters. */
const MAX_NAME = 253;

/** A text that matches a pattern. @param fault the fault of other texts */
const text = (placeholder: string, pattern: RegExp, fault: string): Form<string> =>
  form(placeholder, (given) => (given.length <= MAX_NAME && pattern.test(given) ? given : new Fault(fault)));

/** The name of an object. @param what the kind of object, with its article */
export const objectName = (what: string): Form<string> =>
  text(
    'name',
    DOMAIN,
    `is not ${what}'s name; write lowercase letters, digits, "-" and ".", such as tools-1, at most ${MAX_NAME}`,
  );

/** The name of one namespace. */
export const namespaceName = text(
  'name',
  DNS_LABEL,
  'is not a namespace\'s name; write lowercase letters, digits and "-", such as team-1, at most 63',
);

/** A DNS domain. */
export const domain = text(
  'domain',
  DOMAIN,
  'is not a DNS domain; write it in lowercase and without a dot at its end, such as cluster.local',
);

/** One of some words. */
export const oneOf = <const Word extends string>(
  placeholder: string,
  ...words: readonly Word[]
): Form<Word> => ({
  ...form(placeholder, (given) => {
    const known = words.find((word) => word === given);
    return known ?? new Fault(`must be one of ${words.join(', ')}${didYouMean(given, words)}`);
  }),
  words,
});

const BOOLEAN = oneOf('boolean', 'true', 'false');

/** `true` or `false`. */
export const flag: Form<boolean> = {
  ...BOOLEAN,
  read: (given) => {
    const word = BOOLEAN.read(given);
    return word instanceof Fault ? word : word === 'true';
  },
};

/** A duration within a range, in milliseconds. `0s` is allowed if the shortest is 0. */
export function duration(shortest: number, longest: number): Form<number> {
  const from = shortest === 0 ? '0s' : formatDuration(shortest);
  const read = (given: string): number | Fault => {
    const value = shortest === 0 && /^0+(s|ms|m|h)?$/.test(given) ? 0 : parseDuration(given);
    return value === undefined || value < shortest || value > longest
      ? new Fault(
          `is not a duration from ${from} to ${formatDuration(longest)}; write it as 30s, 5m or 1h30m`,
        )
      : value;
  };
  return form('duration', read, `${from} to ${formatDuration(longest)}`);
}

/** A whole number within a range. */
export function count(least: number, most: number): Form<number> {
  const read = (given: string): number | Fault => {
    if (!/^\d+$/.test(given)) return new Fault('is not a whole number');
    const value = Number(given);
    if (value < least) return new Fault(`is below ${least}`);
    return value > most ? new Fault(`is over ${most}`) : value;
  };
  return form('number', read, `${least} to ${most}`);
}

const listed = (given: string): string[] =>
  given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Namespaces without duplicates, or `*` for all. */
export const namespaces = form<readonly string[]>('names', (given) => {
  const names = listed(given);
  if (names.length === 0) return new Fault('names no namespace; write * for all of them');
  if (names.includes('*')) return ['*'];
  const wrong = names.find((name) => !DNS_LABEL.test(name));
  if (wrong === undefined) return [...new Set(names)];
  return new Fault(
    `has "${shown(wrong)}", which is not a namespace's name; separate names with commas, or use *`,
  );
});

const readConnectTo = (
  given: string,
): ReadonlyMap<string, { readonly host: string; readonly port: number }> | Fault => {
  const targets = new Map<string, { host: string; port: number }>();
  for (const entry of listed(given)) {
    const parts = /^([^:\s/]+):(\d+):([^:\s/]+):(\d+)$/.exec(entry);
    const ports = [parts?.[2], parts?.[4]].map(Number);
    if (parts === null) return new Fault(`has "${shown(entry)}"; write HOST:PORT:ADDRESS:PORT`);
    if (ports.some((port) => port < 1 || port > 65535))
      return new Fault(`has "${shown(entry)}" with a port that is out of range; ports are from 1 to 65535`);
    targets.set(`${parts[1]}:${parts[2]}`, { host: parts[3] ?? '', port: Number(parts[4]) });
  }
  return targets;
};

/** Addresses to connect to instead of a host and port, as in curl's `--connect-to`. */
export const connectTo = { ...form('host:port:address:port', readConnectTo), repeatable: true };

/** A comma-separated list. */
export const list = form<readonly string[]>('names', listed);

/** A host as in a URL, in which `*` stands for any characters. IPv6 addresses are in brackets. */
const HOST_PATTERN = /^(?:[a-z0-9*](?:[a-z0-9.*_-]*[a-z0-9*])?|\[[0-9a-f:.*]+\])$/;

/** Patterns of hosts. */
export const hostPatterns = form<readonly string[]>('hosts', (given) => {
  const hosts = listed(given).map((host) => host.toLowerCase());
  return hosts.every((host) => HOST_PATTERN.test(host))
    ? hosts
    : new Fault(
        'has an entry that no host matches; write api.example.com or *.example.com, without scheme, port and path',
      );
});

/** A Deployment: `NAMESPACE/NAME`. */
export const deployment = form<{ readonly namespace: string; readonly name: string }>(
  'namespace/name',
  (given) => {
    const [namespace = '', name = '', ...rest] = given.split('/');
    if (rest.length > 0 || !DNS_LABEL.test(namespace) || !DOMAIN.test(name) || name.length > MAX_NAME)
      return new Fault('is not a Deployment; write NAMESPACE/NAME');
    return { namespace, name };
  },
);

/** The base URL of an API. */
export const baseUrl = form<URL>('url', (given) => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const plain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && /^https?:$/.test(url.protocol)
    ? url
    : new Fault(portFault(given) ?? 'is not an http or https URL without credentials, query and fragment');
});

/** An address to listen on. An empty host means all addresses of the machine. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** An address to listen on, or `none`. */
export const listenAddress = form<ListenAddress | 'none'>('address', (given) => {
  if (given.trim() === 'none') return 'none';
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]/]*)):(\d+)$/.exec(given.trim());
  const port = Number(parts?.[3]);
  if (parts === null) return new Fault('is not an address; write HOST:PORT, such as 127.0.0.1:9090, or none');
  return port > 65535
    ? new Fault('has a port that is out of range; ports are from 0 to 65535')
    : { host: parts[1] ?? parts[2] ?? '', port };
});

/** Path of a file. */
export const path = form<string>('file', (given) =>
  given.trim() === '' || given.includes('\0') ? new Fault('is not a path') : given,
);

/** The release line of a HolmesGPT version. From 0.32 on, a toolset supports several backends. */
export const holmesLine = form<'0.20' | '0.32'>('version', (given) => {
  if (!/^v?\d+\.\d+(\.\d+)?$/.test(given)) return new Fault('is not a version, such as 0.45.0');
  const [major = 0, minor = 0] = given.replace(/^v/, '').split('.').map(Number);
  if (major === 0 && minor < 20)
    return new Fault('is not supported: HolmesGPT has HTTP toolsets from 0.20 on; update it');
  return major > 0 || minor >= 32 ? '0.32' : '0.20';
});

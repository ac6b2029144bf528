import { formatDuration, parseDuration } from './duration.ts';

/** What is wrong with a setting's text; it stands behind the text. */
export class Fault {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

/** How a setting's text becomes its value. */
export type Reader<T> = (text: string) => T | Fault;

export const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A text of a form. @param fault what is wrong with one that is not of it */
export const text =
  (form: RegExp, fault: string): Reader<string> =>
  (given) =>
    form.test(given) ? given : new Fault(fault);

/** One of some words. */
export const oneOf =
  <const Word extends string>(...words: readonly Word[]): Reader<Word> =>
  (given) =>
    words.find((word) => word === given) ?? new Fault(`is none of ${words.join(', ')}`);

/** `true` or `false`. */
export const flag: Reader<boolean> = (given) => {
  const word = oneOf('true', 'false')(given);
  return word instanceof Fault ? word : word === 'true';
};

/** A duration between two others, in milliseconds; `0s` is one where the shortest is none. */
export const duration =
  (shortest: number, longest: number): Reader<number> =>
  (given) => {
    const value = shortest === 0 && /^0+(s|ms|m|h)?$/.test(given) ? 0 : parseDuration(given);
    return value === undefined || value < shortest || value > longest
      ? new Fault(
          `is not a duration from ${formatDuration(shortest)} to ${formatDuration(longest)}; write it as 30s, 5m or 1h30m`,
        )
      : value;
  };

/** A whole number between two others. */
export const count =
  (least: number, most: number): Reader<number> =>
  (given) => {
    if (!/^\d+$/.test(given)) return new Fault('is not a whole number');
    const value = Number(given);
    if (value < least) return new Fault(`is below ${least}`);
    return value > most ? new Fault(`is over ${most}`) : value;
  };

const listed = (given: string): string[] =>
  given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Namespaces, each once; `*` alone where all are meant. */
export const namespaces: Reader<readonly string[]> = (given) => {
  const names = listed(given);
  if (names.length === 0) return new Fault('names no namespace; write * for all of them');
  if (names.includes('*')) return ['*'];
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong === undefined) return [...new Set(names)];
  return new Fault(`has "${wrong}", which is not a namespace's name; write names with commas between, or *`);
};

/** Where to connect to in place of a host and port, as curl's `--connect-to` takes it. */
export const connectTo: Reader<ReadonlyMap<string, { readonly host: string; readonly port: number }>> = (
  given,
) => {
  const targets = new Map<string, { host: string; port: number }>();
  for (const entry of listed(given)) {
    const parts = /^([^:\s]+):(\d+):([^:\s]+):(\d+)$/.exec(entry);
    const ports = [parts?.[2], parts?.[4]].map(Number);
    if (parts === null || ports.some((port) => port < 1 || port > 65535))
      return new Fault(`has "${entry}"; write HOST:PORT:ADDRESS:PORT`);
    targets.set(`${parts[1]}:${parts[2]}`, { host: parts[3] ?? '', port: Number(parts[4]) });
  }
  return targets;
};

/** A list with commas between. */
export const list: Reader<readonly string[]> = (given) => listed(given);

/** Patterns of hosts. */
export const hostPatterns: Reader<readonly string[]> = (given) =>
  listed(given).map((host) => host.toLowerCase());

/** A Deployment: `NAMESPACE/NAME`. */
export const deployment: Reader<{ readonly namespace: string; readonly name: string }> = (given) => {
  const [namespace = '', name = '', ...rest] = given.split('/');
  if (rest.length > 0 || !NAME.test(namespace) || !DOMAIN.test(name))
    return new Fault('is not a Deployment; write NAMESPACE/NAME');
  return { namespace, name };
};

/** A URL below which there is an API. */
export const baseUrl: Reader<URL> = (given) => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const plain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && /^https?:$/.test(url.protocol)
    ? url
    : new Fault('is not an http or https URL without credentials, query and fragment');
};

/** Where to listen; an empty host is every address of the machine. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Where to listen, or `none`. */
export const listenAddress: Reader<ListenAddress | 'none'> = (given) => {
  if (given.trim() === 'none') return 'none';
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]*)):(\d{1,5})$/.exec(given.trim());
  const port = Number(parts?.[3]);
  return parts === null || port > 65535
    ? new Fault('is not an address; write HOST:PORT, such as 127.0.0.1:9090, or none')
    : { host: parts[1] ?? parts[2] ?? '', port };
};

/** Path of a file. */
export const path: Reader<string> = (given) => (given.includes('\0') ? new Fault('is not a path') : given);

/** The line of HolmesGPT that a version belongs to: from 0.32 on, a toolset takes several backends. */
export const holmesLine: Reader<'0.20' | '0.32'> = (given) => {
  if (!/^v?\d+\.\d+(\.\d+)?$/.test(given)) return new Fault('is not a version, such as 0.45.0');
  const [major = 0, minor = 0] = given.replace(/^v/, '').split('.').map(Number);
  return major > 0 || minor >= 32 ? '0.32' : '0.20';
};

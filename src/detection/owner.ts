import type { Approvals } from '../model/approvals.ts';
import type { Detector } from '../model/detector.ts';
import type { Problem } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import { oneLineOfBytes } from '../model/text.ts';
import { fitsPattern, shown } from './match.ts';

export interface DetectOptions {
  /** DNS domain of the cluster, such as `cluster.local`. */
  readonly clusterDomain: string;
  /** Hosts that an endpoint annotation may name beside its own Service, by the operator's word; `*` for any run. */
  readonly allowedHosts: readonly string[];
  /** Look at Services of type ExternalName, which lead to wherever their owner says. */
  readonly allowExternalNames: boolean;
  /** Most Services of one namespace that are taken for ways into backends; 500 without. */
  readonly maxNamespaceServices?: number;
  /** What people approved: where Services lead to one backend, those of them that are approved are the ways in. */
  readonly approvals?: Approvals;
}

/** What the owner of a Service says about it in annotations, checked. */
export interface OwnersWord {
  readonly type?: string;
  readonly name?: string;
  readonly endpoint?: {
    readonly scheme: 'http' | 'https';
    /** Another host than the Service's own, which the operator allowed. */
    readonly host?: string;
    readonly port: number;
    readonly path: string;
  };
  readonly healthPath?: string;
  readonly path?: string;
  readonly description?: string;
  /** What was refused, and why. */
  readonly problems: readonly Problem[];
  /** One of the refusals makes the whole Service useless as a tool. */
  readonly refused: boolean;
}

/** Longest description that is taken from an annotation, in bytes of UTF-8. */
const DESCRIPTION_LIMIT = 200;

const TYPE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
/** Longest path that is taken from an annotation, in characters, each of which is one byte. */
const PATH_LIMIT = 128;
/**
 * What RFC 3986 allows in a path, without `*`, which the agent's configuration reads as a pattern. No braces either,
 * which it reads as a template, and no empty segments, which some servers read as the start of a host.
 */
const PATH = /^(?:\/(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})+)*\/?$/;
const QUERY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;
/** Characters that steer how a path is read, in disguise: `*`, `.`, `/`, `\`, `;`, `%` and control characters. */
const DISGUISED = /%(?:2a|2e|2f|5c|3b|25|[01][0-9a-f]|7f)/i;

/** A step upwards; some servers cut off parameters first, so `.;x` is one as well. */
const climbs = (segment: string): boolean => /^\.{1,2}(?:;|$)/.test(segment);

/** What is wrong with a path, if something is. */
function pathFault(text: string): string | undefined {
  if (text.length > PATH_LIMIT) return `is longer than ${PATH_LIMIT} bytes`;
  const stays = PATH.test(text) && !DISGUISED.test(text) && !text.split('/').some(climbs);
  return stays ? undefined : `is not a path: ${shown(text)}`;
}

/** What is wrong with a path and the query that may follow it, if something is. */
function requestFault(text: string): string | undefined {
  if (text.length > PATH_LIMIT) return `is longer than ${PATH_LIMIT} bytes`;
  const query = text.indexOf('?');
  if (query >= 0 && !QUERY.test(text.slice(query + 1))) return `is not a path: ${shown(text)}`;
  return pathFault(query < 0 ? text : text.slice(0, query));
}

/** The names under which a Service is reached inside its cluster. */
function ownHosts(service: Service, clusterDomain: string): string[] {
  const short = `${service.name}.${service.namespace}`;
  return [service.name, short, `${short}.svc`, `${short}.svc.${clusterDomain}`];
}

function readEndpoint(
  text: string,
  service: Service,
  options: DetectOptions,
): OwnersWord['endpoint'] | string {
  // The parser would encode braces, and the URL would be another one than the owner wrote.
  if (/[{}]/.test(text)) return 'holds a brace';
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return 'is not an http or https URL';
  if (url.username !== '' || url.password !== '')
    return 'carries credentials, which do not belong in an annotation';
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment';
  // As it is written: the parser resolves steps upwards, encoded ones too.
  const fault = pathFault(text.replace(/^https?:\/\/[^/]*/i, ''));
  if (fault !== undefined) return `has a path that ${fault}`;
  const host = url.hostname.replace(/\.$/, '');
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  const endpoint = { scheme, port, path: url.pathname.replace(/\/$/, '') } as const;
  if (!ownHosts(service, options.clusterDomain).includes(host))
    return options.allowedHosts.some((pattern) => fitsPattern(host, pattern))
      ? { ...endpoint, host }
      : `names the host ${shown(host)}, and may name only its own Service`;
  if (!service.ports.some((candidate) => candidate.port === port && candidate.protocol === 'TCP'))
    return `names port ${port}, which the Service does not have`;
  return endpoint;
}

/** The display name that the owner of a Service asks for, where a detector lets them and it is one. */
export function wantedName({ annotations }: Service, { fromAnnotations }: Detector): string | undefined {
  const { name: key } = fromAnnotations;
  const text = key !== undefined && Object.hasOwn(annotations, key) ? annotations[key]?.trim() : undefined;
  return text !== undefined && NAME.test(text) ? text : undefined;
}

/** Reads and checks what a detector lets the owner of a Service say in annotations. */
export function ownersWord(service: Service, detector: Detector, options: DetectOptions): OwnersWord {
  const keys = detector.fromAnnotations;
  const problems: Problem[] = [];
  let refused = false;
  const read = (key: string | undefined): string | undefined =>
    key === undefined || !Object.hasOwn(service.annotations, key)
      ? undefined
      : service.annotations[key]?.trim();
  const refuse = (key: string | undefined, what: string, fix: string): undefined => {
    problems.push({ where: `Service ${displayKey(service)}`, what: `annotation ${key} ${what}`, fix });
  };
  const pattern = (key: string | undefined, shape: RegExp, what: string, fix: string): string | undefined => {
    const text = read(key);
    if (text === undefined || shape.test(text)) return text;
    return refuse(key, `${what}: ${shown(text)}`, fix);
  };

  const type = pattern(
    keys.type,
    TYPE,
    'is not a type',
    'use lower-case letters, digits and hyphens, at most 63 characters',
  );
  const name = pattern(
    keys.name,
    NAME,
    'is not a tool name',
    'use letters, digits, - and _, at most 63 characters',
  );
  const pathOf = (
    key: string | undefined,
    faultOf: (text: string) => string | undefined,
  ): string | undefined => {
    const text = read(key);
    if (text === undefined) return undefined;
    const fault = text.startsWith('/') ? faultOf(text) : `is not a path: ${shown(text)}`;
    if (fault === undefined) return text;
    return refuse(
      key,
      fault,
      `begin it with one /, with no *, no //, no steps upwards and nothing encoded that would make one, at most ${PATH_LIMIT} bytes`,
    );
  };
  const healthPath = pathOf(keys.healthPath, requestFault);
  const pathKey = keys.path?.find((key) => read(key) !== undefined);
  const path = pathOf(pathKey, pathFault);
  const text = read(keys.endpoint);
  let endpoint: OwnersWord['endpoint'];
  if (text !== undefined) {
    const result = readEndpoint(text, service, options);
    if (typeof result === 'string') {
      refused = true;
      refuse(
        keys.endpoint,
        result,
        'give a URL of this Service and one of its ports, or remove the annotation',
      );
    } else endpoint = result;
  }
  const description = oneLineOfBytes(read(keys.description) ?? '', DESCRIPTION_LIMIT);
  return {
    ...(type === undefined ? {} : { type }),
    ...(name === undefined ? {} : { name }),
    ...(healthPath === undefined ? {} : { healthPath }),
    ...(path === undefined ? {} : { path: path.replace(/\/+$/, '') }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(description === '' ? {} : { description }),
    problems,
    refused,
  };
}

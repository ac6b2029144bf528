import type { Approvals } from '../model/approvals.ts';
import type { Detector } from '../model/detector.ts';
import type { Problem } from '../model/discovery.ts';
import { isHost } from '../model/host-name.ts';
import { displayKey } from '../model/key.ts';
import { portFault } from '../model/port-fault.ts';
import type { InUseSince } from '../model/seniority.ts';
import type { Service } from '../model/service.ts';
import { oneLineOfBytes } from '../model/text.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { fitsPattern, quoteForDisplay } from './match.ts';

export interface DetectOptions {
  /** DNS domain of the cluster, such as `cluster.local`. */
  readonly clusterDomain: string;
  /** Hosts, other than the Service itself, that the operator allows in endpoint annotations. `*` matches any characters. */
  readonly allowedHosts: readonly string[];
  /** Whether to consider Services of type ExternalName, which point to any host that their owner chooses. */
  readonly allowExternalNames: boolean;
  /** Maximum Services per namespace that become entry points. Default: 500. */
  readonly maxNamespaceServices?: number;
  /** Approvals. Approved Services are preferred as entry points. */
  readonly approvals?: Approvals;
  /** What is in use. It stays where a namespace has too many Services. */
  readonly inUseSince?: InUseSince;
}

/** The options on which the addresses of a backend depend. */
export type AddressOptions = Pick<DetectOptions, 'clusterDomain' | 'allowedHosts'>;

/** The validated annotations of a Service's owner. */
export interface ServiceAnnotations {
  readonly type?: string;
  readonly name?: string;
  readonly endpoint?: {
    readonly scheme: 'http' | 'https';
    /** Another host, which the operator allows. */
    readonly host?: string;
    readonly port: number;
    readonly path: string;
  };
  readonly healthPath?: string;
  readonly path?: string;
  readonly description?: string;
  /** Rejected annotations, and why. */
  readonly problems: readonly Problem[];
  /** Whether a rejected annotation makes the Service unusable. */
  readonly refused: boolean;
}

/** Maximum length of a description, in bytes of UTF-8. */
const DESCRIPTION_LIMIT = 200;

const TYPE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
/** Maximum length of a path, in bytes. All its characters are ASCII. */
const PATH_LIMIT = 128;
/**
 * What RFC 3986 allows in a path, without `*`, which the agent's configuration reads as a pattern. No braces either,
 * which it reads as a template, and no empty segments, which some servers read as the start of a host.
 */
const PATH = /^(?:\/(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})+)*\/?$/;
const QUERY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;
/** Encoded characters that change the meaning of a path: `*`, `.`, `/`, `\`, `;`, `%` and control characters. */
const ENCODED_SPECIAL = /%(?:2a|2e|2f|5c|3b|25|[01][0-9a-f]|7f)/i;

/** Whether a segment is `.` or `..`. Some servers remove parameters first, so `.;x` counts too. */
const isDotSegment = (segment: string): boolean => /^\.{1,2}(?:;|$)/.test(segment);

/** The fault of a path, if it has one. */
function pathFault(text: string): string | undefined {
  if (text.length > PATH_LIMIT) return `is longer than ${PATH_LIMIT} bytes`;
  const stays = PATH.test(text) && !ENCODED_SPECIAL.test(text) && !text.split('/').some(isDotSegment);
  return stays ? undefined : `is not a path: ${quoteForDisplay(text)}`;
}

/** The fault of a path with an optional query, if it has one. */
function requestFault(text: string): string | undefined {
  if (text.length > PATH_LIMIT) return `is longer than ${PATH_LIMIT} bytes`;
  const query = text.indexOf('?');
  if (query >= 0 && !QUERY.test(text.slice(query + 1))) return `is not a path: ${quoteForDisplay(text)}`;
  return pathFault(query < 0 ? text : text.slice(0, query));
}

/** The DNS names of a Service in its cluster. */
function ownHosts(service: Service, clusterDomain: string): string[] {
  const short = `${service.name}.${service.namespace}`;
  return [service.name, short, `${short}.svc`, `${short}.svc.${clusterDomain}`];
}

function readEndpoint(
  text: string,
  service: Service,
  options: AddressOptions,
): ServiceAnnotations['endpoint'] | string {
  // Reject braces, because the parser would encode them, which changes the URL.
  if (/[{}]/.test(text)) return 'holds a brace';
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return portFault(text) ?? 'is not an http or https URL';
  if (url.username !== '' || url.password !== '')
    return 'carries credentials, which do not belong in an annotation';
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment';
  // Check the raw text, because the parser resolves `..`, even if encoded.
  const fault = pathFault(text.replace(/^https?:\/\/[^/]*/i, ''));
  if (fault !== undefined) return `has a path that ${fault}`;
  const host = url.hostname.replace(/\.$/, '');
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  if (!isHost(host)) return `names no valid host: ${quoteForDisplay(url.hostname)}`;
  if (port === 0) return 'names port 0, and ports are from 1 to 65535';
  const endpoint = { scheme, port, path: url.pathname.replace(/\/$/, '') } as const;
  if (!ownHosts(service, options.clusterDomain).includes(host))
    return options.allowedHosts.some((pattern) => fitsPattern(host, pattern))
      ? { ...endpoint, host }
      : `names the host ${quoteForDisplay(host)}, and may name only its own Service`;
  if (!service.ports.some((candidate) => candidate.port === port && candidate.protocol === 'TCP'))
    return `names port ${port}, which the Service does not have`;
  return endpoint;
}

/** The valid display name that the owner of a Service requests, if the detector allows one. */
export function requestedName({ annotations }: Service, { fromAnnotations }: Detector): string | undefined {
  const { name: key } = fromAnnotations;
  const text = key !== undefined && Object.hasOwn(annotations, key) ? annotations[key]?.trim() : undefined;
  return text !== undefined && NAME.test(text) ? text : undefined;
}

/** Reads and validates the annotations that a detector allows the owner of a Service to set. */
export function readAnnotations(
  service: Service,
  detector: Detector,
  options: AddressOptions,
): ServiceAnnotations {
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
    return refuse(key, `${what}: ${quoteForDisplay(text)}`, fix);
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
    const fault = text.startsWith('/') ? faultOf(text) : `is not a path: ${quoteForDisplay(text)}`;
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
  let endpoint: ServiceAnnotations['endpoint'];
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
    ...(path === undefined ? {} : { path: withoutTrailing(path, '/') }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(description === '' ? {} : { description }),
    problems,
    refused,
  };
}

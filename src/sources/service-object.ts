import { ANY_INTEREST, type Interest } from '../model/interest.ts';
import { isIpAddress } from '../model/ip-address.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { isMapping, type Mapping, mappingOf } from '../model/mapping.ts';
import type { Service, ServicePort } from '../model/service.ts';
import { trimmed } from './trim.ts';

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Times of the API server are in UTC and without fractions, so they sort as strings. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const PROTOCOLS = new Set(['TCP', 'UDP', 'SCTP']);

/** A map of strings. Numbers and booleans, which occur in hand-written YAML, are converted to strings. */
function texts(value: unknown): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  if (!isMapping(value)) return result;
  for (const key of Object.keys(value)) {
    const text = value[key];
    if (typeof text === 'string') result[key] = text;
    else if (typeof text === 'number' || typeof text === 'boolean') result[key] = String(text);
  }
  return result;
}

function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}

function portFrom(value: unknown): ServicePort | undefined {
  if (!isMapping(value)) return undefined;
  const { name, port, targetPort, protocol = 'TCP', appProtocol } = value;
  if (!isPortNumber(port)) return undefined;
  if (typeof protocol !== 'string' || !PROTOCOLS.has(protocol)) return undefined;
  if (typeof targetPort === 'number' && targetPort !== 0 && !isPortNumber(targetPort)) return undefined;
  return {
    port,
    protocol: protocol as ServicePort['protocol'],
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    ...((typeof targetPort === 'string' && targetPort !== '') ||
    (typeof targetPort === 'number' && targetPort !== 0)
      ? { targetPort }
      : {}),
    ...(typeof appProtocol === 'string' && appProtocol !== '' ? { appProtocol } : {}),
  };
}

const HOST = /^[a-z0-9_]([-a-z0-9_.]{0,251}[a-z0-9_])?$/;

/** The host of an ExternalName Service; undefined if it is invalid. */
function externalNameOf({ type, externalName }: Mapping): string | undefined {
  if (type !== 'ExternalName' || typeof externalName !== 'string') return undefined;
  const host = externalName.toLowerCase().replace(/\.$/, '');
  return HOST.test(host) ? host : undefined;
}

/** A Service has at most one cluster IP per IP family. */
const MAX_IPS = 2;

function clusterIPsOf({ clusterIP, clusterIPs }: Mapping): string[] {
  const all: unknown[] = [clusterIP, ...(Array.isArray(clusterIPs) ? clusterIPs.slice(0, MAX_IPS) : [])];
  const valid = all.filter((ip): ip is string => typeof ip === 'string' && isIpAddress(ip));
  return [...new Set(valid)].slice(0, MAX_IPS);
}

/**
 * Converts a `v1.Service` object to the fields that discovery needs. The number of ports, labels and selector entries is limited;
 * those that rules use are kept.
 * @param defaultNamespace for objects without a namespace, which is common in rendered templates
 * @returns the Service, or why the object is invalid
 */
export function serviceFromObject(
  object: Mapping,
  defaultNamespace: string,
  interest: Interest = ANY_INTEREST,
  cluster: string = HOME_CLUSTER,
): Service | string {
  const metadata = mappingOf(object.metadata);
  const spec = mappingOf(object.spec);
  const {
    name,
    namespace = defaultNamespace,
    resourceVersion,
    creationTimestamp,
    deletionTimestamp,
    uid,
  } = metadata;
  if (typeof name !== 'string' || !NAME.test(name))
    return name === undefined
      ? 'its metadata.name is missing'
      : `its metadata.name ${JSON.stringify(name)} is not a Service's name`;
  if (typeof namespace !== 'string' || !NAME.test(namespace))
    return `its metadata.namespace ${JSON.stringify(namespace)} is not a namespace's name`;
  const listed = Array.isArray(spec.ports) ? spec.ports : [];
  const ports = listed.map(portFrom);
  const broken = ports.indexOf(undefined);
  if (broken >= 0)
    return `its spec.ports[${broken}] is not a port: ${JSON.stringify(listed[broken]).slice(0, 120)}`;
  const clusterIPs = clusterIPsOf(spec);
  const externalName = externalNameOf(spec);
  return {
    cluster,
    namespace,
    name,
    ...trimmed(
      {
        labels: texts(metadata.labels),
        annotations: texts(metadata.annotations),
        selector: texts(spec.selector),
        ports: ports.filter((port) => port !== undefined),
      },
      interest,
    ),
    type: typeof spec.type === 'string' ? spec.type : 'ClusterIP',
    headless: spec.clusterIP === 'None',
    ...(externalName === undefined ? {} : { externalName }),
    ...(clusterIPs.length === 0 ? {} : { clusterIPs }),
    ...(typeof creationTimestamp === 'string' && TIMESTAMP.test(creationTimestamp)
      ? { created: creationTimestamp }
      : {}),
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    ...(typeof deletionTimestamp === 'string' ? { terminating: true } : {}),
    ...(typeof resourceVersion === 'string' && resourceVersion !== '' ? { version: resourceVersion } : {}),
  };
}

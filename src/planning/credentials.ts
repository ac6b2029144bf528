import type { Credential, Credentials } from '../model/credentials.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Naming } from './preferred.ts';
import type { Tool } from './tools.ts';

/** The namespace of the Service behind a tool; of a tool that a person added, the one that they gave it. */
const namespaceOf = ({ key, namespace }: Tool): string | undefined =>
  key.includes('/') ? key.slice(0, key.indexOf('/')) : namespace;

/**
 * What people write names no cluster, so it is for the home cluster only: a credential must not go to a host of another
 * cluster, where somebody else may have the namespace.
 */
export const isHome = ({ cluster }: Tool): boolean => cluster === HOME_CLUSTER;

/**
 * The Services whose credentials a tool gets, the chosen one first: the others lead to all of its Pods. One with other Pods
 * gets nothing that a person gave to another, whatever backend they are said to be of.
 */
export const trustedWith = (tool: Tool): string[] => (isHome(tool) ? [tool.key, ...tool.samePods] : []);

/** Does what a person gave to a Service go to this tool? */
export const appliesTo = (key: string, tool: Tool): boolean =>
  key.includes('/') && trustedWith(tool).includes(key);

/** The key under which a backend has credentials of its own. A tool that a person added has none, whatever its name. */
const ownKey = (credentials: Credentials, tool: Tool): string | undefined =>
  trustedWith(tool).find((key) => key.includes('/') && Object.hasOwn(credentials, key));

const ofType = (credentials: Credentials, { detector }: Tool): Credential | undefined =>
  Object.hasOwn(credentials, detector) ? credentials[detector] : undefined;

const namesNamespace = ({ namespaces = [] }: Credential, tool: Tool): boolean =>
  namespaces.some((each) => each === namespaceOf(tool));

/** The credentials that are configured for a backend: its own, else those of its type for its namespace. */
export function credentialOf(credentials: Credentials, tool: Tool): Credential | undefined {
  if (!isHome(tool)) return undefined;
  const own = ownKey(credentials, tool);
  if (own !== undefined) return credentials[own];
  const given = ofType(credentials, tool);
  if (given === undefined) return undefined;
  return given.namespaces?.includes('*') === true || namesNamespace(given, tool) ? given : undefined;
}

/** How precisely people name a backend in credentials. `*` names none. */
export function namedInCredentials(credentials: Credentials, tool: Tool): Naming {
  if (!isHome(tool)) return undefined;
  if (ownKey(credentials, tool) !== undefined) return 'service';
  const given = ofType(credentials, tool);
  return given !== undefined && namesNamespace(given, tool) ? 'namespace' : undefined;
}

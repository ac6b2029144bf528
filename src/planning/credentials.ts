import type { Credential, Credentials } from '../model/credentials.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Naming } from './preferred.ts';
import type { Tool } from './tools.ts';

/** The namespace of the Service behind a tool, or the configured namespace of a user's own tool. */
const namespaceOf = ({ key, namespace }: Tool): string | undefined =>
  key.includes('/') ? key.slice(0, key.indexOf('/')) : namespace;

/**
 * Credentials apply to the home cluster only, because their keys name no cluster, and in another cluster the namespace may
 * belong to somebody else.
 */
export const isHome = ({ cluster }: Tool): boolean => cluster === HOME_CLUSTER;

/**
 * The Services whose credentials a tool gets: its entry point first, then Services that lead to all of its Pods. Services
 * with other Pods do not count, even if they belong to the same backend.
 */
export const trustedWith = (tool: Tool): string[] => (isHome(tool) ? [tool.key, ...tool.samePods] : []);

/** Whether credentials for a Service apply to this tool. */
export const appliesTo = (key: string, tool: Tool): boolean =>
  key.includes('/') && trustedWith(tool).includes(key);

/** The key of a backend's own credentials. A user's own tool has none, whatever its name. */
const ownKey = (credentials: Credentials, tool: Tool): string | undefined =>
  trustedWith(tool).find((key) => key.includes('/') && Object.hasOwn(credentials, key));

const ofType = (credentials: Credentials, { detector }: Tool): Credential | undefined =>
  Object.hasOwn(credentials, detector) ? credentials[detector] : undefined;

const namesNamespace = ({ namespaces = [] }: Credential, tool: Tool): boolean =>
  namespaces.some((each) => each === namespaceOf(tool));

/** The credentials of a backend: its own, or those of its type for its namespace. */
export function credentialOf(credentials: Credentials, tool: Tool): Credential | undefined {
  if (!isHome(tool)) return undefined;
  const own = ownKey(credentials, tool);
  if (own !== undefined) return credentials[own];
  const given = ofType(credentials, tool);
  if (given === undefined) return undefined;
  return given.namespaces?.includes('*') === true || namesNamespace(given, tool) ? given : undefined;
}

/** How precisely credentials name a backend. `*` names none. */
export function namedInCredentials(credentials: Credentials, tool: Tool): Naming {
  if (!isHome(tool)) return undefined;
  if (ownKey(credentials, tool) !== undefined) return 'service';
  const given = ofType(credentials, tool);
  return given !== undefined && namesNamespace(given, tool) ? 'namespace' : undefined;
}

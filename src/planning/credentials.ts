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
 * Whether credentials for a Service apply to this tool. They are for its entry point only: another Service of the backend may
 * lead to the same Pods, and to others once agents have read its credentials. A user's own tool gets none, whatever its name.
 */
export const appliesTo = (key: string, tool: Tool): boolean =>
  key.includes('/') && isHome(tool) && tool.key === key;

/** The key of a backend's own credentials. */
const ownKey = (credentials: Credentials, tool: Tool): string | undefined =>
  appliesTo(tool.key, tool) && Object.hasOwn(credentials, tool.key) ? tool.key : undefined;

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

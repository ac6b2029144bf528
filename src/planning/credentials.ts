import type { Credential, Credentials } from '../model/credentials.ts';
import type { HolmesAuth } from '../model/detector.ts';
import type { Naming } from './preferred.ts';
import type { Tool } from './tools.ts';

/** The namespace of the Service behind a tool; of a tool that a person added, the one that they gave it. */
const namespaceOf = ({ key, namespace }: Tool): string | undefined =>
  key.includes('/') ? key.slice(0, key.indexOf('/')) : namespace;

/**
 * The Services whose credentials a tool gets, the chosen one first: the others lead to all of its Pods. One with other Pods
 * gets nothing that a person gave to another, whatever backend they are said to be of.
 */
export const trustedWith = ({ key, samePods }: Tool): string[] => [key, ...samePods];

/** Does what a person gave to a Service go to this tool? */
export const appliesTo = (key: string, tool: Tool): boolean =>
  key.includes('/') && trustedWith(tool).includes(key);

/** The credentials that are configured for a backend: its own, else those of its type for its namespace. */
export function credentialOf(credentials: Credentials, tool: Tool): Credential | undefined {
  const own = trustedWith(tool).find((key) => key.includes('/') && Object.hasOwn(credentials, key));
  if (own !== undefined) return credentials[own];
  const given = Object.hasOwn(credentials, tool.detector) ? credentials[tool.detector] : undefined;
  const { namespaces = [] } = given ?? {};
  return namespaces.includes('*') || namespaces.includes(namespaceOf(tool) ?? '') ? given : undefined;
}

/** How precisely people name a backend in credentials. `*` names none. */
export function namedInCredentials(credentials: Credentials, tool: Tool): Naming {
  if (trustedWith(tool).some((key) => Object.hasOwn(credentials, key))) return 'service';
  const given = Object.hasOwn(credentials, tool.detector) ? credentials[tool.detector] : undefined;
  return given?.namespaces?.includes(namespaceOf(tool) ?? '') === true ? 'namespace' : undefined;
}

/** How the agent writes "the value of this environment variable". */
const fromEnvironment = (variable: string): string => `{{ env.${variable} }}`;

function headersOf({ bearerToken, headers = {} }: Credential): Record<string, string> {
  return {
    ...(bearerToken === undefined ? {} : { Authorization: `Bearer ${fromEnvironment(bearerToken)}` }),
    ...Object.fromEntries(
      Object.entries(headers).map(([name, variable]) => [name, fromEnvironment(variable)]),
    ),
  };
}

/**
 * The fields of a built-in toolset's configuration that carry credentials.
 * @param auth what the toolset calls them
 * @returns the fields, or a text that says which kind of credential the toolset does not take
 */
export function toolsetFields(given: Credential, auth: HolmesAuth): Record<string, unknown> | string {
  const fields: Record<string, unknown> = {};
  for (const kind of ['apiKey', 'bearerToken', 'username', 'password'] as const) {
    const variable = given[kind];
    if (variable === undefined) continue;
    const field = auth[kind];
    if (field !== undefined) fields[field] = fromEnvironment(variable);
    else if (kind !== 'bearerToken' || auth.headers === undefined)
      return `it takes ${Object.keys(auth).join(', ') || 'none'}, and not ${kind}`;
  }
  const asField = auth.bearerToken === undefined ? given : { ...given, bearerToken: undefined };
  const headers = headersOf(asField);
  if (Object.keys(headers).length > 0) {
    if (auth.headers === undefined) return `it takes ${Object.keys(auth).join(', ')}, and not headers`;
    fields[auth.headers] = headers;
  }
  return fields;
}

/** The `auth` of an endpoint of an HTTP toolset, and the headers beside it. */
export function endpointAuth(given: Credential): Record<string, string> | string {
  const { apiKey, bearerToken, username, password, headers = {} } = given;
  const [header, ...more] = Object.entries(headers);
  const kinds = [apiKey, bearerToken, username, header].filter((kind) => kind !== undefined).length;
  if (more.length > 0 || kinds > 1) return 'an HTTP toolset takes one header, token or login for a backend';
  if (apiKey !== undefined)
    return 'an HTTP toolset takes bearerToken, username with password, or headers, and not apiKey';
  if (bearerToken !== undefined) return { type: 'bearer', token: fromEnvironment(bearerToken) };
  if (username !== undefined && password !== undefined)
    return { type: 'basic', username: fromEnvironment(username), password: fromEnvironment(password) };
  const [name = '', variable = ''] = header ?? [];
  return { type: 'header', name, value: fromEnvironment(variable) };
}

/** The headers with which the agent calls an MCP server. */
export function serverHeaders(given: Credential): Record<string, string> | string {
  if (given.apiKey !== undefined || given.username !== undefined)
    return 'an MCP server takes bearerToken or headers, and not apiKey or username';
  return headersOf(given);
}

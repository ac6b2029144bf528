import type { Credential } from '../../model/credentials.ts';
import type { HolmesAuth } from './mapping.ts';

/** HolmesGPT's template for the value of an environment variable. */
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
 * @param auth the toolset's names for them
 * @returns the fields, or a text that names the kind of credential that the toolset does not support
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

/** The `auth` of an endpoint of an HTTP toolset, and headers next to it. */
export function endpointAuth(given: Credential): Record<string, string> | string {
  const { apiKey, bearerToken, username, password, headers = {} } = given;
  const [header, ...more] = Object.entries(headers);
  const kinds = [apiKey, bearerToken, username, header].filter((kind) => kind !== undefined).length;
  if (more.length > 0 || kinds > 1)
    return 'an HTTP toolset takes only one header, token or login for a backend';
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

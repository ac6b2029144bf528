import type { Credential } from '../../../model/credentials.ts';
import type { HolmesAuth, HolmesEntry } from './mapping.ts';

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

/** Why credentials cannot be used, and what to write into the setting. */
export interface UnsupportedCredential {
  readonly unsupported: string;
  readonly fix: string;
}

/** How a message names each kind of credential. With a colon and a value, the log would take that for a secret. */
const WORDS = {
  apiKey: 'apiKey',
  bearerToken: 'bearerToken',
  username: 'username with password',
  headers: 'headers',
} as const;
type Kind = keyof typeof WORDS;

/** @param who the start of a sentence, such as `an MCP server` */
function unsupported(who: string, kinds: readonly Kind[], given: Kind): UnsupportedCredential {
  const words = kinds.map((kind) => WORDS[kind]);
  return {
    unsupported:
      kinds.length === 0
        ? `${who} takes no credentials`
        : `${who} takes ${words.join(', ')}, and not ${given}`,
    fix:
      kinds.length === 0
        ? 'remove them from the setting credentials'
        : `in the setting credentials, write ${words.join(', ').replace(/, ([^,]*)$/, ' or $1')} in place of ${given}`,
  };
}

/** The kinds of credentials that a toolset supports. A token can also be in a header. */
function kindsOf(auth: HolmesAuth): Kind[] {
  const inHeader = auth.headers !== undefined;
  return (Object.keys(WORDS) as Kind[]).filter(
    (kind) => auth[kind] !== undefined || (kind === 'bearerToken' && inHeader),
  );
}

/** The keys of credentials for a backend, as an example: a token if there is a choice. */
export function exampleKeys(entry: HolmesEntry): readonly (keyof Credential)[] {
  if ('none' in entry) return [];
  if (!('toolsets' in entry)) return ['bearerToken'];
  const kinds = kindsOf(entry.auth);
  const [kind] = kinds.includes('bearerToken') ? ['bearerToken' as const] : kinds;
  if (kind === undefined) return [];
  return kind === 'username' ? ['username', 'password'] : [kind];
}

/**
 * The fields of a built-in toolset's configuration that carry credentials.
 * @param auth the toolset's names for them
 */
export function toolsetFields(
  given: Credential,
  auth: HolmesAuth,
): Record<string, unknown> | UnsupportedCredential {
  const fields: Record<string, unknown> = {};
  for (const kind of ['apiKey', 'bearerToken', 'username', 'password'] as const) {
    const variable = given[kind];
    if (variable === undefined) continue;
    const field = auth[kind];
    if (field !== undefined) fields[field] = fromEnvironment(variable);
    else if (kind !== 'bearerToken' || auth.headers === undefined)
      return unsupported('it', kindsOf(auth), kind === 'password' ? 'username' : kind);
  }
  const asField = auth.bearerToken === undefined ? given : { ...given, bearerToken: undefined };
  const headers = headersOf(asField);
  if (Object.keys(headers).length > 0) {
    if (auth.headers === undefined) return unsupported('it', kindsOf(auth), 'headers');
    fields[auth.headers] = headers;
  }
  return fields;
}

/** The `auth` of an endpoint of an HTTP toolset, and headers next to it. */
export function endpointAuth(given: Credential): Record<string, string> | UnsupportedCredential {
  const { apiKey, bearerToken, username, password, headers = {} } = given;
  const [header, ...more] = Object.entries(headers);
  const kinds = [apiKey, bearerToken, username, header].filter((kind) => kind !== undefined).length;
  if (more.length > 0 || kinds > 1)
    return {
      unsupported: 'an HTTP toolset takes only one header, token or login for a backend',
      fix: 'keep one of them in the setting credentials',
    };
  if (apiKey !== undefined)
    return unsupported('an HTTP toolset', ['bearerToken', 'username', 'headers'], 'apiKey');
  if (bearerToken !== undefined) return { type: 'bearer', token: fromEnvironment(bearerToken) };
  if (username !== undefined && password !== undefined)
    return { type: 'basic', username: fromEnvironment(username), password: fromEnvironment(password) };
  const [name = '', variable = ''] = header ?? [];
  return { type: 'header', name, value: fromEnvironment(variable) };
}

/** The headers with which the agent calls an MCP server. */
export function serverHeaders(given: Credential): Record<string, string> | UnsupportedCredential {
  if (given.apiKey !== undefined || given.username !== undefined)
    return unsupported(
      'an MCP server',
      ['bearerToken', 'headers'],
      given.apiKey === undefined ? 'username' : 'apiKey',
    );
  return headersOf(given);
}

/** Whether credentials cannot be used. No field of HolmesGPT has this name. */
export const isUnsupported = (
  fields: Record<string, unknown> | UnsupportedCredential,
): fields is UnsupportedCredential => 'unsupported' in fields;

import type { Credential } from '../../../model/credentials.ts';
import { endpointUrl, type Problem } from '../../../model/discovery.ts';
import type { Omission } from '../../../model/documents.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { type TenantView, tenantViews } from '../../../planning/tenants.ts';
import type { Tool } from '../../../planning/tools.ts';
import { holmesFaults } from '../contract/contract.ts';
import { isFault } from '../contract/model-check.ts';
import type { HolmesToolset } from '../contract/schema.ts';
import type { HolmesPatch } from '../overrides.ts';
import { WITH_AGENT_TOKEN } from './agent-token.ts';
import { fieldsFor, hasCredentials } from './backends.ts';
import {
  endpointAuth,
  isUnsupported,
  serverHeaders,
  toolsetFields,
  type UnsupportedCredential,
} from './credential-fields.ts';
import {
  type Entry,
  httpToolset,
  isUnconfigured,
  type Kind,
  listed,
  single as singleToolset,
  type Toolsets,
} from './entries.ts';
import { entryOf, type HolmesEntry } from './mapping.ts';

function fillTemplate(template: string, tool: Tool): string {
  const { host, port } = tool.endpoint;
  return template
    .replaceAll('{endpoint}', () => endpointUrl(tool.endpoint))
    .replaceAll('{authority}', () => `${host}:${port}`)
    .replaceAll('{tool}', () => tool.tool);
}

/** The fields of a backend's entry, or why it is left out. */
export type BackendFields =
  | { readonly fields: Record<string, unknown> }
  | {
      readonly leftOut: string;
      readonly cause?: Omission['cause'];
      /** What to do, if the cause does not say it. */
      readonly fix?: string;
    };

const MISSING = 'the agent needs credentials for it, and none are configured';
const NO_TENANT = 'it requires a tenant in each request, and none is configured';

/** The entry's fields with the headers for its tenant, unless they have that header already. */
function withHeaders(
  fields: Record<string, unknown>,
  holmes: Toolsets,
  headers: TenantView['headers'],
): Record<string, unknown> {
  const field = holmes.auth.headers;
  if (field === undefined || Object.keys(headers).length === 0) return fields;
  const given = isMapping(fields[field]) ? fields[field] : {};
  const known = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  const added = Object.entries(headers).filter(([name]) => !known.has(name.toLowerCase()));
  return { ...fields, [field]: { ...given, ...Object.fromEntries(added) } };
}

/** Whether an entry's fields have the header that names its tenant. */
function namesTenant(fields: Record<string, unknown>, { tenancy }: Tool, { auth }: Toolsets): boolean {
  const headers = auth.headers === undefined ? undefined : fields[auth.headers];
  if (tenancy === undefined || !('header' in tenancy) || !isMapping(headers)) return false;
  return Object.keys(headers).some((name) => name.toLowerCase() === tenancy.header.toLowerCase());
}

/** A backend's fields in a built-in toolset, once for each of its tenants. */
export function perTenant(
  { tool, holmes }: { readonly tool: Tool; readonly holmes: Toolsets },
  fieldsOf: (view: Tool, isFirst: boolean) => BackendFields,
): BackendFields | { readonly entries: readonly Entry<Toolsets>[] } {
  const entries: Entry<Toolsets>[] = [];
  const views = tenantViews(tool);
  for (const { tool: view, id, headers } of views) {
    const result = fieldsOf(view, entries.length === 0);
    if ('leftOut' in result) return result;
    const isNamed = namesTenant(result.fields, tool, holmes);
    if (tool.verdict.tenantRequired === true && id === undefined && !isNamed)
      return { leftOut: NO_TENANT, cause: 'tenant' };
    const fields = withHeaders(result.fields, holmes, headers);
    // A header that people wrote for this backend says which tenant they mean.
    if (isNamed || id === undefined || views.length === 1) return { entries: [{ tool, holmes, fields }] };
    entries.push({ tool, holmes, fields, tenant: id });
  }
  return { entries };
}

/**
 * The fields of one backend, including credentials.
 * @param own options for this backend from overrides
 */
export function backendFields(tool: Tool, given: Credential | undefined, own: Mapping = {}): BackendFields {
  const { verdict } = tool;
  const holmes = entryOf(tool);
  const merge = (fields: Mapping) => mergePatch(fields, own) as Record<string, unknown>;
  if ('none' in holmes) return { leftOut: holmes.none };
  if ('mcp' in holmes && verdict.facts?.eras === 'modern')
    return { leftOut: 'it speaks MCP 2026-07-28 only, which the agent does not' };
  if ('http' in holmes && tool.endpoint.scheme === 'tcp') return { leftOut: 'it does not speak HTTP' };
  const required = verdict.authRequired || ('toolsets' in holmes && holmes.credentials === 'required');
  if (given === undefined) {
    if (required && !hasCredentials(own)) return { leftOut: MISSING, cause: 'credentials' };
    if ('http' in holmes) return endpointOfTenant(tool, own);
    return { fields: merge('toolsets' in holmes ? templateFields(tool, holmes) : {}) };
  }
  if (given.agentToken === true && !('toolsets' in holmes && holmes.toolsets.includes(WITH_AGENT_TOKEN)))
    return unusable({
      unsupported: `HolmesGPT brings its own token to ${WITH_AGENT_TOKEN} only`,
      fix: 'in the setting credentials, write others in place of agentToken, or remove it',
    });
  if ('toolsets' in holmes) {
    // The agent's environment has the credentials.
    if (isUnconfigured(holmes)) return { fields: {} };
    const fields = toolsetFields(given, holmes.auth);
    return isUnsupported(fields)
      ? unusable(fields)
      : { fields: merge({ ...templateFields(tool, holmes), ...fields }) };
  }
  const fields = 'mcp' in holmes ? serverHeaders(given) : endpointAuth(given);
  if (isUnsupported(fields)) return unusable(fields);
  if ('mcp' in holmes) return { fields: merge({ headers: fields }) };
  if (verdict.tenantRequired === true && own.auth === undefined && !isTenantHeader(fields, tool))
    return unusable(ONE_HEADER);
  return { fields: merge({ auth: fields }) };
}

const ONE_HEADER: UnsupportedCredential = {
  unsupported: 'an HTTP toolset takes one header for a backend, and this one requires its tenant, too',
  fix: 'remove them from the setting credentials, and let a proxy in front of the backend check them',
};

/** Whether an endpoint's `auth` is the header that names its tenant. */
const isTenantHeader = ({ name = '' }: Record<string, string>, { tenancy }: Tool): boolean =>
  tenancy !== undefined && 'header' in tenancy && name.toLowerCase() === tenancy.header.toLowerCase();

/**
 * The fields of an endpoint of an HTTP toolset without credentials: its `auth` has room for the first tenant. A backend that
 * answers without one gets none, since a key for its namespace may be meant for others.
 */
function endpointOfTenant(tool: Tool, own: Mapping): BackendFields {
  const { tenantRequired } = tool.verdict;
  if (own.auth !== undefined || tenantRequired === false) return { fields: { ...own } };
  const [view] = tenantViews(tool);
  const [header] = Object.entries(view?.headers ?? {});
  if (header === undefined)
    return tenantRequired === true ? { leftOut: NO_TENANT, cause: 'tenant' } : { fields: { ...own } };
  const [name, value] = header;
  return { fields: { auth: { type: 'header', name, value }, ...own } };
}

const unusable = ({ unsupported, fix }: UnsupportedCredential): BackendFields => ({
  leftOut: `its credentials cannot be used: ${unsupported}`,
  cause: 'credentials',
  fix,
});

function templateFields(tool: Tool, holmes: Toolsets): Record<string, string> {
  return Object.fromEntries(
    Object.entries(holmes.config).map(([field, template]) => [field, fillTemplate(template, tool)]),
  );
}

/**
 * The fields of one backend in one toolset, with options from overrides. Options with which HolmesGPT would reject the entry
 * are reported and not merged.
 */
export function checkedFields<E extends Toolsets | Kind<'http'>>(
  toolset: string,
  entry: { readonly tool: Tool; readonly holmes: E },
  given: Credential | undefined,
  patch: HolmesPatch,
  report: (problem: Problem) => void,
): BackendFields {
  const own = fieldsFor(patch, toolset, entry.tool);
  const plain = backendFields(entry.tool, given);
  if (own === undefined) return plain;
  const full = backendFields(entry.tool, given, own);
  if ('leftOut' in full) return full;
  const made = { ...entry, fields: full.fields };
  const alone = isHttp(made) ? httpToolset([made]) : aloneInList(toolset, made as Entry<Toolsets>);
  const [fault] = holmesFaults({ toolsets: { [toolset]: alone } }).filter(isFault);
  if (fault === undefined) return full;
  const field = fault.path.slice(5).join('.');
  report({
    where: `overrides.yaml, holmesgpt.toolsets ${toolset}`,
    what: `the options under backends for ${entry.tool.key} are not merged, because HolmesGPT would reject them: ${field === '' ? '' : `${field}: `}${fault.message}`,
    fix: 'correct or remove them',
  });
  return plain;
}

/** A toolset with one backend, in a list if it can have one: only there does HolmesGPT check the backend's name. */
const aloneInList = (toolset: string, entry: Entry<Toolsets>): HolmesToolset =>
  isUnconfigured(entry.holmes) ? singleToolset(entry) : listed(toolset, [entry]);

const isHttp = (entry: Entry<HolmesEntry>): entry is Entry<Kind<'http'>> => 'http' in entry.holmes;

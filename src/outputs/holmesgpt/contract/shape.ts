import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { namesHeaders, namesLogin, namesSecret } from '../../../model/redact-names.ts';
import { kindOf } from './model-check.ts';
import { HOLMES, own } from './models.ts';

/** How a toolset's configuration lists several backends. */
export interface Shape {
  /** The key of the list. */
  readonly list: string;
  /** The deprecated key of the list. */
  readonly oldList?: string;
  /** The field for a backend's name; endpoints of HTTP toolsets have none. */
  readonly name?: string;
  /** HolmesGPT's default name for a backend. */
  readonly unnamed: (index: number) => string;
  /** A single backend may be outside a list, and fields next to the list are defaults of each backend in it. */
  readonly flat: boolean;
}

const INSTANCES: Shape = {
  list: 'instances',
  name: 'name',
  unnamed: (index) => `instance-${index}`,
  flat: true,
};
const LISTS: Readonly<Record<string, Shape>> = {
  'kafka/admin': {
    list: 'clusters',
    oldList: 'kafka_clusters',
    name: 'name',
    unnamed: () => '',
    flat: false,
  },
  'rabbitmq/core': { list: 'clusters', name: 'id', unnamed: () => 'rabbitmq', flat: false },
};
const ENDPOINTS: Shape = { list: 'endpoints', unnamed: () => '', flat: false };

/**
 * How an entry under `toolsets` lists several backends; `undefined` if it supports only one.
 * @param instances whether the agent supports instances, as HolmesGPT 0.32 and newer does
 */
export function shapeOf(toolset: string, type: unknown, instances = true): Shape | undefined {
  if (type === 'http') return ENDPOINTS;
  const list = own(LISTS, toolset);
  if (list !== undefined) return list;
  return instances && own(HOLMES.toolsets, toolset)?.instances === true ? INSTANCES : undefined;
}

/** Fields with the address of a backend, deprecated names included, in HolmesGPT's order. */
const ADDRESSES = [
  'api_url',
  'url',
  'prometheus_url',
  'connection_url',
  'domain',
  'management_url',
  'broker',
  'kafka_broker',
  'hosts',
];

export const isAddress = (field: string): boolean => ADDRESSES.includes(field);

/** The addresses in a backend's configuration, unchanged. */
export function addressesOf(fields: Mapping): string[] {
  return ADDRESSES.flatMap((field) => {
    const value = own(fields, field);
    const texts: unknown[] = Array.isArray(value) ? value : [value];
    return texts.filter((text) => typeof text === 'string');
  })
    .flatMap((text) => text.split(',').map((part) => part.trim()))
    .filter((part) => part !== '');
}

/**
 * The fields that are meant as an address, and whose value cannot be one, each with what is wrong. An empty text is none,
 * because HolmesGPT takes it as no address.
 */
export function addressFaults(fields: Mapping): string[] {
  return ADDRESSES.flatMap((field) => {
    const value = own(fields, field);
    const isAbsent = value === undefined || value === null || typeof value === 'string';
    if (isAbsent || addressesOf({ [field]: value }).length > 0) return [];
    const expected = field === 'hosts' ? 'must be a list of hosts' : 'must be a string with an address';
    return [`${field} ${expected}, but is ${kindOf(value)}`];
  });
}

/**
 * Options that are safe for every backend of a toolset, because none is secret, redirects requests or weakens their
 * protection. All other options need a backend by name.
 */
const COMMON = new Set([
  'timeout',
  'timeout_seconds',
  'request_timeout_seconds',
  'max_retries',
  'discover_metrics_from_last_hours',
  'query_timeout_seconds_default',
  'query_timeout_seconds_hard_max',
  'metadata_timeout_seconds_default',
  'metadata_timeout_seconds_hard_max',
  'tool_calls_return_data',
  'rules_cache_duration_seconds',
  'query_response_size_limit_pct',
  'default_metadata_time_window_hrs',
  'default_metadata_timeout_seconds',
  'default_query_timeout_seconds',
  'max_metadata_timeout_seconds',
  'max_query_timeout_seconds',
  'metrics_labels_time_window_hrs',
  'metrics_labels_cache_duration_hrs',
  'fetch_labels_with_labels_api',
  'fetch_metadata_with_series_api',
  'enable_rendering',
  'default_render_width',
  'default_render_height',
  'labels',
]);
const VERIFIES = new Set(['verify_ssl', 'verify_certs', 'prometheus_ssl_enabled']);

/** Whether a text anywhere in a value refers to the agent's environment. */
function fromEnvironment(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('{{') || value.includes('${');
  if (Array.isArray(value)) return value.some(fromEnvironment);
  return isMapping(value) && Object.values(value).some(fromEnvironment);
}

/** Whether an option is safe for every backend of a toolset, including those of tenants. */
export function isCommon(field: string, value: unknown): boolean {
  if (value === null) return true;
  if (VERIFIES.has(field)) return value === true;
  return COMMON.has(field) && !fromEnvironment(value);
}

/** Whether an option would give a backend credentials, or make the agent log in. */
export function carriesCredentials(field: string, value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false;
  if (typeof value === 'boolean' && !/^(aws|azure)_/.test(field)) return false;
  return (
    fromEnvironment(value) ||
    namesHeaders(field) ||
    namesLogin(field) ||
    namesSecret(field, typeof value === 'string' ? value : '') ||
    /user(name)?$|cert|^(aws|azure)_/.test(field)
  );
}

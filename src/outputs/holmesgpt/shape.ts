import { isMapping, type Mapping } from '../../model/mapping.ts';
import { namesHeaders, namesLogin, namesSecret } from '../../model/redact-names.ts';
import { HOLMES, own } from './models.ts';

/** How a toolset's configuration holds several backends. */
export interface Shape {
  /** The key of the list. */
  readonly list: string;
  /** The key under which older configurations have the list. */
  readonly oldList?: string;
  /** The field that names one backend; endpoints of HTTP toolsets have no names. */
  readonly name?: string;
  /** The name that HolmesGPT gives a backend without one. */
  readonly unnamed: (index: number) => string;
  /** One backend may stand without a list, and what stands beside the list is a default of each backend in it. */
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
 * How an entry under `toolsets` holds several backends; nothing if it takes one only.
 * @param instances whether the agent knows instances, as HolmesGPT 0.32 and newer does
 */
export function shapeOf(toolset: string, type: unknown, instances = true): Shape | undefined {
  if (type === 'http') return ENDPOINTS;
  const list = own(LISTS, toolset);
  if (list !== undefined) return list;
  return instances && own(HOLMES.toolsets, toolset)?.instances === true ? INSTANCES : undefined;
}

/** Fields with the address of a backend, old names included. The order is HolmesGPT's own. */
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

/** The addresses that a backend's configuration names, as they are written. */
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
 * Options that every backend of a toolset may have from one line, because none of them is secret, says where requests
 * go or weakens how they are protected. All others belong to backends that a person names.
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

/** Does a text anywhere in a value take something from the agent's environment? */
function fromEnvironment(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('{{') || value.includes('${');
  if (Array.isArray(value)) return value.some(fromEnvironment);
  return isMapping(value) && Object.values(value).some(fromEnvironment);
}

/** May every backend of a toolset have this option, those of tenants included? */
export function isCommon(field: string, value: unknown): boolean {
  if (value === null) return true;
  if (VERIFIES.has(field)) return value === true;
  return COMMON.has(field) && !fromEnvironment(value);
}

/** Would this option, given to a backend, hand it credentials or have it log the agent in? */
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

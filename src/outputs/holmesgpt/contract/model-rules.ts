type Fields = Readonly<Record<string, unknown>>;

/** Returns the fault of a value whose fields are valid one by one. */
type Rule = (value: Fields) => string | undefined;

function oneLogin(value: Fields): string | undefined {
  const { username, password } = value;
  for (const token of ['api_key', 'bearer_token'])
    if (value[token] && (username || password))
      return `${token} and username with password exclude each other`;
  if (Boolean(username) !== Boolean(password)) return 'username and password go together';
  return undefined;
}

function certificate({ client_cert, client_key }: Fields): string | undefined {
  return Boolean(client_cert) === Boolean(client_key) ? undefined : 'client_cert and client_key go together';
}

const AUTH_FIELDS: Readonly<Record<string, readonly string[]>> = {
  basic: ['username', 'password'],
  digest: ['username', 'password'],
  bearer: ['token'],
  header: ['name', 'value'],
};

function authFields(value: Fields): string | undefined {
  const { type } = value;
  const wanted = typeof type === 'string' && Object.hasOwn(AUTH_FIELDS, type) ? AUTH_FIELDS[type] : undefined;
  const missing = (wanted ?? []).filter((field) => !value[field]);
  return missing.length === 0 ? undefined : `type ${String(type)} needs ${missing.join(' and ')}`;
}

/** The fault of a host pattern: `host` or `*.host`, with an optional port or scheme. The part after the host is ignored. */
function hostFault(pattern: string): string | undefined {
  const [before = '', after] = pattern.trim().split(/:\/\/(.*)/s);
  if (after !== undefined && !/^https?$/i.test(before)) return 'has a scheme other than http and https';
  const authority = ((after ?? before).split(/[/?#]/)[0] ?? '').replace(/^.*@/s, '');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(authority);
  if (authority.startsWith('[') && bracketed === null) return 'is not an address';
  const parts = authority.split(':');
  const [host = '', port] = bracketed?.slice(1) ?? (parts.length === 2 ? parts : [authority]);
  if (host === '') return 'names no host';
  if (host.includes('*') && !host.startsWith('*.')) return 'has a * that does not stand for the first label';
  if (port === undefined || port === '*') return undefined;
  return /^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
    ? undefined
    : 'has no possible port';
}

function hosts(value: Fields): string | undefined {
  for (const [index, host] of (Array.isArray(value.hosts) ? value.hosts : []).entries()) {
    const fault = typeof host === 'string' ? hostFault(host) : undefined;
    if (fault !== undefined) return `hosts.${index} ${fault}`;
  }
  return undefined;
}

function clickhouse({ clickhouse_use_http_json, connection_url }: Fields): string | undefined {
  const wanted = clickhouse_use_http_json === true;
  return wanted && !/clickhouse/i.test(String(connection_url))
    ? 'clickhouse_use_http_json is for ClickHouse only'
    : undefined;
}

const nothing: Rule = () => undefined;

/** The checks of HolmesGPT's Python validators that no schema expresses, by validator name. */
export const RULES: Readonly<Record<string, Rule>> = {
  _validate_grafana_auth: oneLogin,
  validate_auth: oneLogin,
  validate_mtls_fields: certificate,
  validate_auth_fields: authFields,
  _parse_and_cache_hosts: hosts,
  _validate_clickhouse_http_json: clickhouse,
  // These change values and reject none.
  _migrate_storage_tiers_to_singular: nothing,
  auto_enable_when_configured: nothing,
  default_oauth_resource: nothing,
  ensure_trailing_slash: nothing,
  migrate_deprecated_include_default: nothing,
  preprocess_tools: nothing,
  render_env_templates: nothing,
  validate_prom_config: nothing,
  warn_on_removed_restricted_tools: nothing,
  // HolmesGPT skips an invalid transformer.
  validate_transformer: nothing,
};

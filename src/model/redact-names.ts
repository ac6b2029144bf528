/** Parts of names that only secrets have, even without a word boundary. */
const SECRET_PART =
  /passw|passphrase|passcode|secret|token|apikey|accesskey|privatekey|credential|authori[sz]ation|bearer|cookie|webhook|keytab|kubeconfig|connection_?(url|uri|string)|database_?(url|uri)/;

/** Words that mark a secret only as whole words. */
const SECRET_WORDS = new Set([
  'pass',
  'pwd',
  'pw',
  'auth',
  'creds',
  'cred',
  'jwt',
  'sas',
  'sig',
  'signature',
  'otp',
  'dsn',
]);

/** Names of properties of secrets, such as `token_type`, `auth_audiences` and `max_tokens`, which are not secret. */
const PROPERTY =
  /_(type|method|mode|mechanism|scheme|protocol|ttl|seconds|minutes|limit|count|enabled|required|audiences?)$/;
const NUMBER_OF = /^(max|min|num)_.*tokens$/;

/** Names of the place of a secret. The value is not secret if it looks like a path or URL. */
const PLACE = /_(url|uri|endpoint|path|file|dir)$/;
const LOOKS_LIKE_PLACE = /^(~?\.{0,2}\/|[a-z][a-z0-9+.-]*:\/\/)/i;
const ALWAYS = /connection|database|webhook|dsn/;

/** Converts `Api-Key`, `apiKey` and `api key` to `api_key`. */
function snake(name: string): string {
  let plain = name;
  try {
    plain = decodeURIComponent(name);
  } catch {
    // A lone percent sign: use the name unchanged.
  }
  return plain
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_');
}

/**
 * Whether a key, flag, header, variable or query parameter with this name holds a secret. In doubt, it does.
 * @param value its value, if known
 * @see https://holmesgpt.dev/data-sources/ for the fields of its toolsets
 */
export function namesSecret(name: string, value = ''): boolean {
  const key = snake(name);
  if (PROPERTY.test(key) || NUMBER_OF.test(key)) return false;
  if (PLACE.test(key) && !ALWAYS.test(key) && LOOKS_LIKE_PLACE.test(value)) return false;
  const words = key.split('_').filter((word) => word !== '');
  return words.at(-1) === 'key' || words.some((word) => SECRET_WORDS.has(word)) || SECRET_PART.test(key);
}

/** Whether this is the name of headers, which are hidden completely. */
export const namesHeaders = (name: string): boolean => /(^|_)headers$/.test(snake(name));

/** Whether this is the name of a process environment, which is hidden completely. */
export const namesEnvironment = (name: string): boolean =>
  /(^|_)(env|envs|environment|env_vars|environment_variables)$/.test(snake(name));

/** Whether this is the name of a mapping with login options, some of which are secret. */
export function namesLogin(name: string): boolean {
  return /(^|_)(auth|authentication)$/.test(snake(name));
}

const TEMPLATE =
  /^\s*((Bearer|Basic|ApiKey|Token)[ \t]+)?\{\{[ \t]*env\.[A-Za-z_][A-Za-z0-9_]*[ \t]*\}\}\s*$/i;

/** Whether the value is only a reference to an environment variable of the agent, which is not secret. */
export const isTemplate = (value: string): boolean => TEMPLATE.test(value);

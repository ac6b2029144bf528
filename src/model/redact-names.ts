/** What only secrets are called, wherever it stands in a name, even glued to other words. */
const TELLING =
  /passw|passphrase|passcode|secret|token|apikey|accesskey|privatekey|credential|authori[sz]ation|bearer|cookie|webhook|keytab|kubeconfig|connection_?(url|uri|string)|database_?(url|uri)/;

/** Words that tell it only when they stand alone. */
const WORDS = new Set([
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

/** Names of such a thing's properties: `token_type` and `max_tokens` say nothing worth hiding. */
const PROPERTY =
  /_(type|method|mode|mechanism|scheme|protocol|ttl|seconds|minutes|limit|count|enabled|required)$/;
const NUMBER_OF = /^(max|min|num)_.*tokens$/;

/** Names of where a secret is, which is none as long as it looks like a place. */
const PLACE = /_(url|uri|endpoint|path|file|dir)$/;
const LOOKS_LIKE_PLACE = /^(~?\.{0,2}\/|[a-z][a-z0-9+.-]*:\/\/)/i;
const ALWAYS = /connection|database|webhook|dsn/;

/** `Api-Key`, `apiKey` and `api key` as `api_key`. */
function snake(name: string): string {
  let plain = name;
  try {
    plain = decodeURIComponent(name);
  } catch {
    // A lone percent sign: the name is what it is.
  }
  return plain
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_');
}

/**
 * Does a key, flag, header, variable or query parameter of this name hold a secret? Rather yes than no.
 * @param value what stands there, as far as it is known
 * @see https://holmesgpt.dev/data-sources/ for the fields of its toolsets
 */
export function namesSecret(name: string, value = ''): boolean {
  const key = snake(name);
  if (PROPERTY.test(key) || NUMBER_OF.test(key)) return false;
  if (PLACE.test(key) && !ALWAYS.test(key) && LOOKS_LIKE_PLACE.test(value)) return false;
  const words = key.split('_').filter((word) => word !== '');
  return words.at(-1) === 'key' || words.some((word) => WORDS.has(word)) || TELLING.test(key);
}

/** Is it the name of headers, of which everything is hidden? */
export const namesHeaders = (name: string): boolean => /(^|_)headers$/.test(snake(name));

/** Is it the name of a process' environment, of which everything is hidden? */
export const namesEnvironment = (name: string): boolean =>
  /(^|_)(env|envs|environment|env_vars|environment_variables)$/.test(snake(name));

/** Is it the name of a mapping that says how to log in, beside what is no secret? */
export function namesLogin(name: string): boolean {
  return /(^|_)(auth|authentication)$/.test(snake(name));
}

const TEMPLATE =
  /^\s*((Bearer|Basic|ApiKey|Token)[ \t]+)?\{\{[ \t]*env\.[A-Za-z_][A-Za-z0-9_]*[ \t]*\}\}\s*$/i;

/** Is a whole value the name of an environment variable of the agent? That is how a secret should stand there. */
export const isTemplate = (value: string): boolean => TEMPLATE.test(value);

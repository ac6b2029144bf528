import { isTemplate, namesSecret } from './redact-names.ts';
import { loneWordEnd, referenceAt } from './references.ts';

/** A range of a text, by offsets. */
export type Span = readonly [start: number, end: number];

/** `name: value`, `name=value`, `"name": "value"`, `--name value`; a name starts a word, which keeps this linear. */
const ASSIGNED = /(?<![\w.%-])(--?)?([A-Za-z_%][\w.%-]*)(["']?[ \t]{0,4}[:=][ \t]{0,4}|[ \t]{1,4})/g;

/** Formats of widely used credentials. */
const WELL_KNOWN = [
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(?<![\w-])(gh[pousr]_|github_pat_|glpat-|glsa_|glc_|xox[abprs]-|xapp-|AKIA|ASIA|AIza|hvs\.|dt0c01\.)[\w.-]{12,}/g,
  /(?<![\w-])sk-(?=[a-z_-]*[A-Z\d])[\w-]{20,}/g,
  /(?<=(?<![\w-])(Bearer|Basic|ApiKey)[ \t]{1,4})(?=[^\s\d]*\d)[\w.~+/=-]{8,}/gi,
];

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/g;

/** The user and the colon of `user:password@host` without a scheme, as for brokers. Excludes mail links. */
const LOGIN_START = /(?<![^=])(?!mailto:)[^:@/=]+:(?!\/\/)/;

/** Each `user:password` before an `@`. Excludes image digests. One scan of each word keeps this linear. */
function* bareLogins(text: string): Generator<Span> {
  for (const { index, 0: word } of text.matchAll(/[^\s"',]+/g)) {
    const at = [...word.matchAll(/@(?!sha\d+:)/g)].at(-1)?.index;
    const start = at === undefined ? null : LOGIN_START.exec(word);
    if (at !== undefined && start !== null && start.index + start[0].length < at)
      yield [index + start.index, index + at];
  }
}

/** The user information of each URL. All of it, because a lone user name may be a token. */
function* logins(text: string): Generator<Span> {
  const starts = [...text.matchAll(/:\/\//g)].map(({ index }) => index + 3);
  for (const [number, start] of starts.entries()) {
    const next = starts[number + 1] ?? text.length + 3;
    const segment = (/^[^\s"<>`]*/.exec(text.slice(start, next - 3)) ?? [''])[0];
    const authority = (/^[^/?#]*/.exec(segment) ?? [''])[0];
    let at = authority.lastIndexOf('@');
    // Libraries accept a password with a slash, although such a URL is invalid.
    if (at < 0 && /^[^:[@]*:(?!\d{1,5}([/?#]|$))/.test(segment)) at = segment.lastIndexOf('@');
    if (at > 0) yield [start, start + at];
  }
}

/** Beginnings of our own messages about a field, as in `config.api_key: must be a string`. No value follows. */
const OUR_MESSAGES =
  /^(must (be|have|not be) |should be |is (missing|a |an |the |not |no |none |empty|there |left |written |longer|old )|has (no|been|tools|to) |holds a |contains a |lacks |needs |unknown key "|Map keys |HolmesGPT |denied|cannot be |there is no such (file|folder)|it is (a folder|not (a |YAML))|this user may not |clusters, contexts and users must |(user|cluster|context) "|names (no |a |an |one of |the ))/;

/** Words that follow the name of a flag in a sentence, as in `with --kubeconfig or KUBECONFIG`. */
const PLAIN_WORD =
  /^(or|and|is|in|to|for|from|with|if|of|the|a|an|that|which|was|has|names|gives|here|there)(?![\w-])/;

/** A position after `credentials`, as in `credentials:2:5: prometheus: …`. No value follows. */
const PLACE = /^\d+:\d+: /;

/** The end of a value, by how it starts: in quotes, in a query, as the rest of a line, or as one word. */
const STOPS = {
  '"': /(?<!\\)"|\n/g,
  "'": /['\n]/g,
  '`': /[`\n]/g,
  query: /[&#\s"'<>]/g,
  line: /[\n"`]/g,
  word: /[\s"`]/g,
} as const;

type Quote = '"' | "'" | '`';
const quoteAt = (text: string, index: number): Quote | undefined =>
  /^["'`]$/.test(text.charAt(index)) ? (text.charAt(index) as Quote) : undefined;

function valueEnd(text: string, start: number, kind: keyof typeof STOPS): number {
  const stop = STOPS[kind];
  stop.lastIndex = start;
  return stop.exec(text)?.index ?? text.length;
}

/** The end of a bracketed value: all of a mapping or list with the name of a secret is secret. */
function bracketEnd(text: string, start: number): number {
  const brackets = /\\.|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[{}[\]]/g;
  brackets.lastIndex = start;
  let depth = 0;
  for (let match = brackets.exec(text); match !== null; match = brackets.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') depth += 1;
    else if ((found === '}' || found === ']') && --depth === 0) return match.index + 1;
  }
  return text.length;
}

/** URL-encoded signs. Each further encoding adds a `25`. */
const ENCODED = /%(?:25)*(3d|3a|26|22|20|0a)/gi;
const SIGNS: Readonly<Record<string, string>> = {
  '3d': '=',
  '3a': ':',
  '26': '&',
  '22': '"',
  '20': ' ',
  '0a': '\n',
};

/** Decodes the signs in a text, and keeps all offsets. */
const withSigns = (text: string): string =>
  text.replace(ENCODED, (all, code: string) => (SIGNS[code.toLowerCase()] ?? ' ').padEnd(all.length));

const isLogin = (text: string): boolean => text.includes(':') && /^[\x20-\x7e]*$/.test(text);

/** Basic authentication: `Basic` and a base64 text with a colon. */
function* basicLogins(text: string): Generator<Span> {
  for (const { index, 0: all, 1: login = '' } of text.matchAll(/(?<![\w-])Basic[ \t]{1,4}([\w+/=-]{4,})/gi))
    if (isLogin(Buffer.from(login, 'base64').toString('latin1')))
      yield [index + all.length - login.length, index + all.length];
}

/**
 * What to hide after the name of an object or key in a message of ours; `undefined` if this is no such name. After a form
 * that only we write, it hides nothing. After one that may be a key with its value, such as `username/password: hunter2`, it
 * hides a lone word, or one that is not plain. What follows is scanned as usual. Texts of others are redacted without this
 * rule where they come in.
 */
function afterReference(text: string, start: number, first: number, sign: string): Span[] | undefined {
  if (sign !== ': ' || /[{["'`]/.test(text.charAt(first))) return undefined;
  const reference = referenceAt(text, start);
  if (reference === undefined) return undefined;
  const end = reference === 'sure' ? undefined : loneWordEnd(text, first);
  return end === undefined || end === first ? [] : [[first, end]];
}

function* assigned(text: string, isOurs: boolean): Generator<Span> {
  ASSIGNED.lastIndex = 0;
  for (let match = ASSIGNED.exec(text); match !== null; match = ASSIGNED.exec(text)) {
    const [all, dashes = '', name = '', sign = ''] = match;
    if (dashes === '' && !/[:=]/.test(sign)) continue;
    const first = match.index + all.length;
    const begin = text.slice(first, first + 40);
    if (!/[:=]/.test(sign) && PLAIN_WORD.test(begin)) continue;
    if (!namesSecret(name, begin) || OUR_MESSAGES.test(begin)) continue;
    const known = isOurs && dashes === '' ? afterReference(text, match.index, first, sign) : undefined;
    if (known !== undefined) {
      yield* known;
      ASSIGNED.lastIndex = first;
      continue;
    }
    if (name === 'credentials' && sign === ':' && PLACE.test(begin)) continue;
    const before = text[match.index - 1] ?? '';
    // A host with its port, even if its name looks like that of a secret.
    if (
      sign === ':' &&
      (before === '/' || name.includes('.')) &&
      /^\d{1,5}(?![\w.-])/.test(text.slice(first, first + 6))
    )
      continue;
    if (/^[{[]/.test(begin) && !isTemplate(text.slice(first, first + 100).replace(/[\n"'`].*/s, ''))) {
      const end = bracketEnd(text, first);
      ASSIGNED.lastIndex = end;
      yield [first, end];
      continue;
    }
    const quote = quoteAt(text, first);
    const start = quote === undefined ? first : first + 1;
    const whole = sign.includes(':') || /[ \t][:=]|[:=][ \t]/.test(sign);
    const outer = /["']/.test(sign) ? undefined : quoteAt(text, match.index - 1);
    const kind = quote ?? (/[?&#]/.test(before) ? 'query' : whole ? (outer ?? 'line') : 'word');
    const end = valueEnd(text, start, kind);
    const value = text.slice(start, end).trimEnd();
    // Never scan a value twice.
    ASSIGNED.lastIndex = Math.max(end, ASSIGNED.lastIndex);
    if (value === '' || value.startsWith('//') || isTemplate(value)) continue;
    if (!/^(true|false|null|~)$/.test(value)) yield [start, start + value.length];
  }
}

function* wellKnown(text: string): Generator<Span> {
  for (const pattern of WELL_KNOWN)
    for (const { index, 0: found } of text.matchAll(pattern)) yield [index, index + found.length];
  yield* bareLogins(text);
  let from = 0;
  for (const { index, 0: head } of text.matchAll(PRIVATE_KEY)) {
    const start = index + head.length;
    if (start < from) continue;
    const end = text.indexOf('-----END', start);
    from = end < 0 ? text.length : end;
    yield [start, from];
    if (end < 0) return;
  }
}

/**
 * Finds secrets in any text, such as a comment, a command line or a description: user information and query parameters of
 * URLs, values assigned to names of secrets, and well-known formats of credentials. Linear time.
 * @param isOurs whether it is a message of ours, in which names of objects and keys hide nothing
 * @returns sorted ranges that do not overlap
 */
export function secretsInText(text: string, isOurs = false): Span[] {
  const encoded = text.search(ENCODED) < 0 ? [] : assigned(withSigns(text), isOurs);
  const all = [
    ...logins(text),
    ...assigned(text, isOurs),
    ...encoded,
    ...wellKnown(text),
    ...basicLogins(text),
  ].sort((a, b) => a[0] - b[0]);
  const spans: Span[] = [];
  for (const [start, end] of all) {
    const last = spans.at(-1);
    if (last === undefined || start >= last[1]) spans.push([start, end]);
    else if (end > last[1]) spans[spans.length - 1] = [last[0], end];
  }
  return spans;
}

/** The replacement of a secret. */
export const HIDDEN = '***';

/** Matches all texts that may contain a secret. Most texts do not match, which saves time. */
const MAYBE_SECRET =
  /[:=@]|%(25)*(3[da]|2[026]|0a)|(?<![\w.%-])--?[A-Za-z_%][\w.%-]*[ \t]|eyJ|gh[pousr]_|github_pat_|glpat-|glsa_|glc_|xox[abprs]-|xapp-|AKIA|ASIA|AIza|hvs\.|dt0c01\.|sk-|(Bearer|Basic|ApiKey)[ \t]|PRIVATE KEY/i;

/**
 * Redacts secrets in a message of ours, such as `Service shop/api-token: is left out`. The names of objects and keys in it,
 * which others choose, hide nothing of the message.
 */
export const hideInMessage = (text: string): string => hide(text, true);

/** Redacts secrets in a text of others. Already redacted parts do not change. */
export const hideSecrets = (text: string): string => hide(text, false);

function hide(text: string, isOurs: boolean): string {
  if (!MAYBE_SECRET.test(text)) return text;
  let result = '';
  let from = 0;
  for (const [start, end] of secretsInText(text, isOurs)) {
    const secret = text.slice(start, end);
    result += text.slice(from, start) + (secret.startsWith(HIDDEN) ? secret : HIDDEN);
    from = end;
  }
  return result + text.slice(from);
}

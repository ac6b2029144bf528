import { isTemplate, namesSecret } from './redact-names.ts';

/** A part of a text, by its offsets. */
export type Span = readonly [start: number, end: number];

/** `name: value`, `name=value`, `"name": "value"`, `--name value`; a name starts a word, which keeps this linear. */
const ASSIGNED = /(?<![\w.%-])(--?)?([A-Za-z_%][\w.%-]*)(["']?[ \t]{0,4}[:=][ \t]{0,4}|[ \t]{1,4})/g;

/** What credentials that many people have look like, wherever they stand. */
const WELL_KNOWN = [
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(?<![\w-])(gh[pousr]_|github_pat_|glpat-|glsa_|glc_|xox[abprs]-|xapp-|AKIA|ASIA|AIza|hvs\.|dt0c01\.)[\w.-]{12,}/g,
  /(?<![\w-])sk-(?=[a-z_-]*[A-Z\d])[\w-]{20,}/g,
  /(?<=(?<![\w-])(Bearer|Basic|ApiKey)[ \t]{1,4})(?=[^\s\d]*\d)[\w.~+/=-]{8,}/gi,
];

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/g;

/** `user:password@host` without a scheme, as brokers are written; no image digest, no mail link. */
const LOGIN = /(?<![^\s"',=])(?!mailto:)([^\s:@/"',=]+:(?!\/\/)[^\s"',]+)@(?!sha\d+:)/g;

/** The login in each URL: all of it, since a lone user name may be a token. */
function* logins(text: string): Generator<Span> {
  const starts = [...text.matchAll(/:\/\//g)].map(({ index }) => index + 3);
  for (const [number, start] of starts.entries()) {
    const next = starts[number + 1] ?? text.length + 3;
    const segment = (/^[^\s"<>`]*/.exec(text.slice(start, next - 3)) ?? [''])[0];
    const authority = (/^[^/?#]*/.exec(segment) ?? [''])[0];
    let at = authority.lastIndexOf('@');
    // A password with a slash in it is no URL by the book, and libraries take it.
    if (at < 0 && /^[^:[@]*:(?!\d{1,5}([/?#]|$))/.test(segment)) at = segment.lastIndexOf('@');
    if (at > 0) yield [start, start + at];
  }
}

/** How what we say of a field begins, as in `config.api_key: must be a text`: no value stands there. */
const OUR_WORDS =
  /^(must (be|have) |should be |is (missing|a |an |the |not |no |none |empty|there |left |written |longer|old )|has (no|been|tools|to) |holds a |lacks |needs |unknown key "|Map keys |HolmesGPT |denied|cannot be |names (no |a |an |one of |the ))/;

/** A word that follows the name of a flag in a sentence, as in `with --kubeconfig or KUBECONFIG`. */
const PLAIN_WORD =
  /^(or|and|is|in|to|for|from|with|if|of|the|a|an|that|which|was|has|names|gives|here|there)(?![\w-])/;

/** A place in the text of the key `credentials`, as in `credentials:2:5: prometheus: …`: no value follows. */
const PLACE = /^\d+:\d+: /;

/** What ends a value that was opened by a quote, stands in a query, follows a colon or spaces, or is one word. */
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

/** The end of what a bracket opens: all of a mapping or list under the name of a secret is one. The text's end, if it is cut. */
function bracketEnd(text: string, start: number): number {
  const brackets = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[{}[\]]/g;
  brackets.lastIndex = start;
  let depth = 0;
  for (let match = brackets.exec(text); match !== null; match = brackets.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') depth += 1;
    else if ((found === '}' || found === ']') && --depth === 0) return match.index + 1;
  }
  return text.length;
}

/** Signs as they are in a URL, each time they are encoded once more with `25` in them. */
const ENCODED = /%(?:25)*(3d|3a|26|22|20|0a)/gi;
const SIGNS: Readonly<Record<string, string>> = {
  '3d': '=',
  '3a': ':',
  '26': '&',
  '22': '"',
  '20': ' ',
  '0a': '\n',
};

/** A text with encoded signs as what they stand for, and every character where it was. */
const withSigns = (text: string): string =>
  text.replace(ENCODED, (all, code: string) => (SIGNS[code.toLowerCase()] ?? ' ').padEnd(all.length));

/** User and password as a client sends them: `Basic` and a text in base64 that holds a colon. */
function* basicLogins(text: string): Generator<Span> {
  for (const { index, 0: all, 1: login = '' } of text.matchAll(/(?<![\w-])Basic[ \t]{1,4}([\w+/=-]{4,})/gi))
    if (/^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(login, 'base64').toString('latin1')))
      yield [index + all.length - login.length, index + all.length];
}

function* assigned(text: string): Generator<Span> {
  ASSIGNED.lastIndex = 0;
  for (let match = ASSIGNED.exec(text); match !== null; match = ASSIGNED.exec(text)) {
    const [all, dashes = '', name = '', sign = ''] = match;
    if (dashes === '' && !/[:=]/.test(sign)) continue;
    const first = match.index + all.length;
    const begin = text.slice(first, first + 40);
    if (!/[:=]/.test(sign) && PLAIN_WORD.test(begin)) continue;
    if (!namesSecret(name, begin) || OUR_WORDS.test(begin)) continue;
    if (name === 'credentials' && sign === ':' && PLACE.test(begin)) continue;
    const before = text[match.index - 1] ?? '';
    // A host and its port, whatever the host is called.
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
    // What was looked at is not looked at again, whatever it was.
    ASSIGNED.lastIndex = Math.max(end, ASSIGNED.lastIndex);
    if (value === '' || value.startsWith('//') || isTemplate(value)) continue;
    if (!/^(true|false|null|~)$/.test(value)) yield [start, start + value.length];
  }
}

function* wellKnown(text: string): Generator<Span> {
  for (const pattern of WELL_KNOWN)
    for (const { index, 0: found } of text.matchAll(pattern)) yield [index, index + found.length];
  for (const { index, 1: login = '' } of text.matchAll(LOGIN)) yield [index, index + login.length];
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
 * Secrets in a text of any kind, such as a comment, a command line or a description: the logins and query parameters
 * of URLs, what is assigned to a name of a secret, and what looks like a well-known kind of credential.
 * @returns in their order, and apart from one another. Takes time in proportion to the text
 */
export function secretsInText(text: string): Span[] {
  const encoded = text.search(ENCODED) < 0 ? [] : assigned(withSigns(text));
  const all = [...logins(text), ...assigned(text), ...encoded, ...wellKnown(text), ...basicLogins(text)].sort(
    (a, b) => a[0] - b[0],
  );
  const spans: Span[] = [];
  for (const [start, end] of all) {
    const last = spans.at(-1);
    if (last === undefined || start >= last[1]) spans.push([start, end]);
    else if (end > last[1]) spans[spans.length - 1] = [last[0], end];
  }
  return spans;
}

/** Stands for a secret where it does not matter which one it was. */
export const HIDDEN = '***';

/** What each text with a secret in it has somewhere; most texts have nothing of it. */
const MAYBE =
  /[:=@]|%(25)*3[da]|-[A-Za-z_%][\w.%-]*[ \t]|eyJ|gh[pousr]_|github_pat_|glpat-|glsa_|glc_|xox[abprs]-|xapp-|AKIA|ASIA|AIza|hvs\.|dt0c01\.|sk-|(Bearer|Basic|ApiKey)[ \t]|PRIVATE KEY/i;

/** A text with what looks like a secret hidden; what is hidden already stays as it is. */
export function hideSecrets(text: string): string {
  if (!MAYBE.test(text)) return text;
  let result = '';
  let from = 0;
  for (const [start, end] of secretsInText(text)) {
    const secret = text.slice(start, end);
    result += text.slice(from, start) + (secret.startsWith(HIDDEN) ? secret : HIDDEN);
    from = end;
  }
  return result + text.slice(from);
}

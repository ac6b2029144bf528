import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { redact } from './redact.ts';

/** What is shown of one text. */
const shown = (text: string): string => redact([text])[0] ?? '';

describe('hides', () => {
  test.each<[string, string, string]>([
    ['a field', 'api_key: abcd # mine\nenabled: true\n', 'api_key: ***1 # mine\nenabled: true\n'],
    ['in quotes', `{password: "it's", "token": 'a''b'}\n`, `{password: "***1", "token": '***2'}\n`],
    ['escapes', '{"client\\u005fsecret": "a\\"b\\\\"}', '{"client\\u005fsecret": "***1"}'],
    ['a number', 'password: 1234\n', 'password: ***1\n'],
    [
      'a block',
      'client_key: |2- # k\n    AA\n\n   BB\nx: 1\n',
      'client_key: |2- # k\n    ***1\n\n   ***1\nx: 1\n',
    ],
    ['folded lines', 'token: ab\n  cd\nx: 1\n', 'token: ***1\n  ***1\nx: 1\n'],
    ['an anchor', 'password: &p abcd\nx: *p\n', 'password: &p ***1\nx: *p\n'],
    ['the value behind an alias', 'x: &p abcd\npassword: *p\n', 'x: &p ***1\npassword: *p\n'],
    ['a merged map', 'x: &h {Y: abcd}\nheaders: {<<: *h}\n', 'x: &h {Y: ***1}\nheaders: {<<: *h}\n'],
    [
      'an anchor that is set again',
      'a: &p abcd\nt: &p ef\ntoken: *p\n',
      'a: &p abcd\nt: &p ***1\ntoken: *p\n',
    ],
    ['headers', 'extra_headers:\n  X-Any: abcd\n', 'extra_headers:\n  X-Any: ***1\n'],
    ['a list of headers', 'headers:\n- X-Any: [abcd]\n', 'headers:\n- X-Any: [***1]\n'],
    ['the environment of a process', 'env: {A: abcd, B: 5}\n', 'env: {A: ***1, B: ***2}\n'],
    [
      'arguments',
      'args: [--api-key, abcd, --token=ef, -u, gh]\n',
      'args: [--api-key, ***1, --token=***2, -u, ***3]\n',
    ],
    [
      'the header of a login',
      'auth: {type: header, name: X, value: ab}\n',
      'auth: {type: header, name: X, value: ***1}\n',
    ],
    ['a value with a name', 'l:\n- {name: A, value: abcd}\n', 'l:\n- {name: A, value: ***1}\n'],
    ['the login of a URL', 'u: http://me:a@b@host:80/p@q\n', 'u: http://***1@host:80/p@q\n'],
    ['a token as login', '{"endpoint": "https://abcd@host/"}', '{"endpoint": "https://***1@host/"}'],
    ['each URL of several', 'u: amqp://a:b@h1,amqp://c:d@h2\n', 'u: amqp://***1@h1,amqp://***2@h2\n'],
    ['escaped slashes', '{"endpoint": "http:\\/\\/a:b@h"}', '{"endpoint": "***1"}'],
    ['a slash in a password', 'u: redis://a:b/c@h\n', 'u: redis://***1@h\n'],
    ['a broker with login', 'broker: me:abcd@kafka:9092\n', 'broker: ***1@kafka:9092\n'],
    ['a query', 'u: http://h/?a=1&api_key=abcd&b=2#c\n', 'u: http://h/?a=1&api_key=***1&b=2#c\n'],
    ['an escaped query', 'u: http://h/?%74oken=abcd\n', 'u: http://h/?%74oken=***1\n'],
    ['a whole connection', 'connection_url: postgres://a:b@c/d\n', 'connection_url: ***1\n'],
    ['a comment', '# password: a b c\nx: 1\n', '# password: ***1\nx: 1\n'],
    [
      'a command in a text',
      "x: |\n  curl -H 'Authorization: Bearer ab' u\n",
      "x: |\n  curl -H 'Authorization: ***1' u\n",
    ],
    ['a known kind of token', 'x: ghp_abcdefghijkl0123 y\n', 'x: ***1 y\n'],
    [
      'a key in a text',
      'x: |\n  -----BEGIN PRIVATE KEY-----\n  AB\n  -----END PRIVATE KEY-----\n',
      'x: |\n  -----BEGIN PRIVATE KEY-----\n  ***1\n  -----END PRIVATE KEY-----\n',
    ],
    ['JSON with tabs', '{\n\t"a": "b",\n\t"token": "ab"\n}', '{\n\t"a": "b",\n\t"token": "***1"\n}'],
    ['line ends of Windows', 'token: ab\r\nx: 1\r\n', 'token: ***1\r\nx: 1\r\n'],
    ['a key twice', 'token: ab\ntoken: cd\n', 'token: ***1\ntoken: ***2\n'],
    ['a second document', 'x: 1\n---\ntoken: ab\n', 'x: 1\n---\ntoken: ***1\n'],
    ['headers that lost their indentation', 'x: 1\nheaders:\nX-Any: abcd\n', 'x: 1\nheaders:\nX-Any: ***1\n'],
    [
      'JSON that begins with tabs',
      '\t{\n\t\t"a": [\n\t\t\t"x"\n\t],\n\t"token":\t"ab"\n\t}\n',
      '\t{\n\t\t"a": [\n\t\t\t"x"\n\t],\n\t"token":\t"***1"\n\t}\n',
    ],
    ['a text that is not a mapping', 'abcd\n', '***1\n'],
    ['a list', '- abcd\n', '***1\n'],
    ['camel case', 'apiKey: ab\n', 'apiKey: ***1\n'],
    ['a list of secrets', 'tokens: [abcd, ef]\n', 'tokens: [***1, ***2]\n'],
    ['keys that are not strings', 'headers: {? [abcd] : ef}\n', 'headers: {? [***1] : ***2}\n'],
    ['a mapping with a header and a value', 'a: {header: X, value: abcd}\n', 'a: {header: X, value: ***1}\n'],
    ['a value with a key', 'a: {key: null, value: abcd}\n', 'a: {key: null, value: ***1}\n'],
    ['the value of a login', 'auth: {value: abcd}\n', 'auth: {value: ***1}\n'],
    [
      'logins and headers of a command',
      'args: [-H, ab, --header, cd, --user, ef]\n',
      'args: [-H, ***1, --header, ***2, --user, ***3]\n',
    ],
    ['folded text', 'password: >-\n  abcd\nx: 1\n', 'password: >-\n  ***1\nx: 1\n'],
    ['a secret in an entry', 'toolsets:\n  a: {api_key: abcd}\n', 'toolsets:\n  a: {api_key: ***1}\n'],
    ['a secret in place of an entry', 'toolsets: {token: abcd}\n', 'toolsets: {token: ***1}\n'],
    [
      'a nested key with the name of an entry list',
      'a: {toolsets: {token: {b: abcd}}}\n',
      'a: {toolsets: {token: {b: ***1}}}\n',
    ],
    [
      'entries that are headers elsewhere',
      'toolsets: &t {a: {b: cd}}\nheaders: *t\n',
      'toolsets: &t {a: {b: ***1}}\nheaders: *t\n',
    ],
    [
      'headers that lost their indentation, with a comment',
      'headers: # why\nX-Any: abcd\n',
      'headers: # why\nX-Any: ***1\n',
    ],
    ['an environment that lost its indentation', 'env:\nA: abcd\n', 'env:\nA: ***1\n'],
    ['secrets that lost their indentation', 'secrets:\nA: abcd\n', 'secrets:\nA: ***1\n'],
    ['headers without a value', '{headers, X-Any: abcd}\n', '{headers, X-Any: ***1}\n'],
    [
      'a secret after an empty one',
      'password: ""\npass: "  "\ntoken: abcd\n',
      'password: ""\npass: "  "\ntoken: ***1\n',
    ],
    [
      'a login that is a secret elsewhere',
      'auth: [&p abcd]\npassword: *p\n',
      'auth: [&p ***1]\npassword: *p\n',
    ],
    [
      'a secret that is a login elsewhere',
      'password: &p abcd\nauth: [*p]\n',
      'password: &p ***1\nauth: [*p]\n',
    ],
    [
      'an anchor that is set again, after its mapping became headers',
      'h: &q {a: &p abcd}\nb: &p ef\nheaders: *q\ntoken: *p\n',
      'h: &q {a: &p ***1}\nb: &p ***2\nheaders: *q\ntoken: *p\n',
    ],
    ['a list that is in itself', 'headers: &x [*x, abcd]\n', 'headers: &x [*x, ***1]\n'],
    [
      'the same line only where it is a secret',
      'headers:\n  a: abcd\nplain:\n  a: abcd\n',
      'headers:\n  a: ***1\nplain:\n  a: abcd\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('nearly all of an invalid text, and no layout', () => {
    expect(shown('toolsets:\n  a:\n    enabled: true\n    b: [\n  - hunter2\n    api_key: "x y",\n')).toBe(
      '***1:\n  ***2:\n    ***3: true\n    ***4: [\n  ***5\n    api_key: "***6",\n',
    );
    expect(shown('hunter2')).toBe('***1');
    expect(shown('{'.repeat(50_000))).toHaveLength(50_000);
    expect(shown(`${'? '.repeat(5_000)}x`)).toBe('***1');
  });

  test('in an invalid text, all values of a line except harmless ones', () => {
    const lines: readonly (readonly [string, string])[] = [
      ['token: abcd,', 'token: ***1,'],
      ['"token": "ef",', '"token": "***2",'],
      ["token: 'abcd'", "token: '***1'"],
      ['token: "', 'token: ***3'],
      ['token: true,', 'token: true,'],
      ['token: |2-', 'token: |2-'],
      ['- token: {', '- token: {'],
      ['token: "{{ env.KEY }}",', 'token: "{{ env.KEY }}",'],
      ['    token: ~', '    token: ~'],
      ['gh', '***4'],
      ['  gh', '  ***4'],
      ['  gh \r', '  ***4 \r'],
      ['token: abcd\r', 'token: ***1\r'],
      ['token-of-a-team: abcd', '***5: ***1'],
      ['team: abcd', '***6: ***1'],
    ];
    const text = lines.map(([line]) => line).join('\n');
    expect(shown(`[\n${text}`)).toBe(`[\n${lines.map(([, line]) => line).join('\n')}`);
  });

  test('in an invalid text, a secret line everywhere it occurs', () => {
    for (const known of [
      'headers:\n  a: abcd\nplain:\n  a: abcd\n',
      'plain:\n  a: abcd\nheaders:\n  a: abcd\n',
    ])
      expect(redact([known, '[\n  a: abcd\n'])[1]).toBe('[\n  a: ***1\n');
  });

  test('known lines and keys are visible in an invalid text, with any line endings', () => {
    const known = 'team: a\nsite: b\n';
    const broken = '[\nteam: a\nsite: cd\nother: ef\n';
    const hidden = '[\nteam: a\nsite: ***1\n***2: ***3\n';
    const windows = (text: string): string => text.replaceAll('\n', '\r\n');
    expect(redact([known, broken])[1]).toBe(hidden);
    expect(redact([known, windows(broken)])[1]).toBe(windows(hidden));
    expect(redact([windows(known), windows(broken)])[1]).toBe(windows(hidden));
  });

  test('values that are indented by tabs, which YAML does not allow', () => {
    expect(shown('a:\n\tb: abcd\n')).toBe('***1:\n\t***2: ***3\n');
  });

  test('nearly all of an excessively long text', () => {
    const text = (length: number): string => `a: 1\nb: ${'x'.repeat(length - 9)}\n`;
    const longest = 2 * 1024 * 1024;
    expect(shown(text(longest))).toBe(text(longest));
    expect(shown(text(longest + 1))).toBe('***1: ***2\n***3: ***4\n');
  });

  test('nearly all of an excessively nested text', () => {
    expect(shown(`a: ${'{a: '.repeat(5_000)}${'}'.repeat(5_000)}`)).toBe('***1: ***2');
  });

  test('the target of many aliases, once', () => {
    const levels = Array.from({ length: 60 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}]\n`).join('');
    expect(shown(`l0: &l0 abcd\n${levels}headers: *l60\n`)).toBe(`l0: &l0 ***1\n${levels}headers: *l60\n`);
  });

  test('in an invalid text, except what the other side has in plain view', () => {
    const before = 'toolsets:\n  loki:\n    enabled: true\n    config:\n      api_key: abcd\n';
    const [old, broken] = redact([
      before,
      before.replace('true', 'true\n    : [').replace('loki', 'secretly'),
    ]);
    expect(old).toContain('api_key: ***1');
    expect(broken).toBe(
      'toolsets:\n  secretly:\n    enabled: true\n    ***2\n    config:\n      api_key: ***1\n',
    );
  });
});

test('equal secrets have one mark in all texts, different secrets different ones', () => {
  expect(redact(['token: ab\n', 'token: "ab"\nkey: cd\n', 'key: "cd"\n}'])).toEqual([
    'token: ***1\n',
    'token: "***1"\nkey: ***2\n',
    'key: "***2"\n}',
  ]);
});

describe('keeps', () => {
  test.each([
    'api_key: "{{ env.KEY }}"\nheaders:\n  Authorization: Bearer {{ env.A }}\n',
    'token: null\npassword: ""\nsecret: ~\ncookie:\nheaders: {X: true}\n',
    'ssl_client_key_path: /etc/tls.key\ntoken_url: https://idp/token\nauth_type: basic\nauthAudiences: tools, true\nmax_tokens: 5\n',
    'toolsets:\n  token-service:\n    enabled: true\nmcp_servers:\n  secrets.vault: {config: {url: http://a:80/b@c}}\n',
    'metadata: {env: prod, team: me}\nmail: mailto:me@host\nimage: nginx:1@sha256:ab\nu: http://[::1]:80/@\n',
    'tenant_header: X-Scope-OrgID\nsasl_mechanism: PLAIN\ndescription: "Basic authentication, Bearer tokens"\n',
    '',
    '# nothing\n',
    '{"endpoint": "http://vm-auth.token.svc:8427/x", "hosts": ["https://auth:80"]}',
    'broker: secret-kafka.a.svc:9092\n',
    'x: 1\nheaders: null\nX-Any: abcd\n',
    'headers: {}\nX-Any: abcd\n',
    'a:\nb: abcd\n',
    'threshold: {value: abcd}\nb: {c: {value: abcd}}\n',
    'args: [--name, abcd]\n',
    'toolsets:\n  token-service:\n    description: abcd\n',
    'toolsets: [abcd]\n---\ntoolsets: abcd\n',
    'password: *missing\nl: [*missing, abcd]\n',
    'a: &x [*x, abcd]\n',
    'a: &p abcd\n---\ntoken: *p\n',
    'x: a\nx: b\n',
    '# only\n---\nx: abcd\n---\n',
    '~\n',
    'password: |\nx: 1\n',
    'password: |',
    'x: >\n  abcd\n  ef\ny: 1\n',
  ])('%j', (text) => {
    expect(shown(text)).toBe(text);
  });

  test('the output of the detectors', () => {
    const folder = join(import.meta.dirname, '../../detectors');
    const strings = (value: unknown): string[] =>
      typeof value === 'string'
        ? [value]
        : typeof value === 'object' && value !== null
          ? Object.values(value).flatMap(strings)
          : [];
    const texts = readdirSync(folder).flatMap((file) =>
      strings(parse(readFileSync(join(folder, file), 'utf8'))),
    );
    const text = stringify({
      toolsets: Object.fromEntries(texts.map((llm_instructions, n) => [n, { llm_instructions }])),
    });
    expect(texts.length).toBeGreaterThan(100);
    expect(shown(text)).toBe(text);
  });
});

describe('with any layout', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9+/=_.-]{4,40}$/).map((text) => `Zq${text}7`);
  /** Documents with a secret in one place. */
  const places: readonly ((secret: string) => Record<string, unknown>)[] = [
    (value) => ({ api_key: value }),
    (value) => ({ bearer_token: value, verify_ssl: true }),
    (value) => ({ clusters: [{ name: 'a', broker: 'k:9092', password: value }] }),
    (value) => ({ additional_headers: { 'X-Scope-OrgID': value } }),
    (value) => ({ endpoints: [{ hosts: ['h'], auth: { type: 'header', name: 'X', value } }] }),
    (value) => ({ command: 'npx', args: ['--token', value], env: { A: `${value}\nmore` } }),
    (value) => ({ command: 'npx', args: [`--password=${value}`] }),
    (value) => ({ api_url: `https://me:${encodeURIComponent(value)}@host:80/x` }),
    (value) => ({ api_url: `https://host/x?a=1&access_token=${value}&b=2` }),
    (value) => ({ oauth: { client_id: 'a', client_secret: value } }),
    (value) => ({ ssl_client_key: `-----BEGIN PRIVATE KEY-----\n${value}\n-----END PRIVATE KEY-----\n` }),
    (value) => ({ connection_url: `mysql://${value}` }),
  ];
  const layouts: readonly ((document: unknown) => string)[] = [
    (value) => stringify(value),
    (value) => stringify(value, { lineWidth: 20 }),
    (value) => stringify(value, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }),
    (value) => stringify(value, { defaultStringType: 'QUOTE_SINGLE' }),
    (value) => stringify(value, { defaultStringType: 'BLOCK_LITERAL', defaultKeyType: 'PLAIN' }),
    (value) => stringify(value, { defaultStringType: 'BLOCK_FOLDED', defaultKeyType: 'PLAIN' }),
    (value) => stringify(value, { collectionStyle: 'flow' }),
    (value) => JSON.stringify(value),
    (value) => JSON.stringify(value, null, '\t'),
    (value) => stringify(value).replaceAll('\n', ' # note\n').replaceAll('| # note', '|'),
    (value) => stringify(value).replaceAll('\n', '\r\n'),
    (value) => stringify(value).replaceAll('  ', '\t'),
    (value) => `${stringify(value)}broken: [\n`,
    (value) => `}}\n${JSON.stringify(value, null, 2)}`,
    (value) => stringify(value).replaceAll(/^ +/gm, ''),
    (value) => stringify({ x: value, y: value }, { aliasDuplicateObjects: true }),
  ];

  test('no secret remains, and different secrets look different', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.constantFrom(...layouts),
        secret,
        secret,
        fc.nat(),
        (place, layout, one, other, cut) => {
          fc.pre(one !== other);
          const texts = [one, other].map((value) =>
            layout({ toolsets: { 'a/b': { enabled: true, config: place(value) } } }),
          );
          const [first = '', second = ''] = redact(texts);
          expect(first).not.toContain(one);
          expect(second).not.toContain(other);
          if (texts[0] !== texts[1]) expect(first).not.toBe(second);
          const part = (texts[0] ?? '').slice(0, cut % ((texts[0] ?? '').length + 1));
          // A URL that ends before its host does not look like one with a login.
          if (!part.includes('api_url')) expect(shown(part)).not.toContain(one);
          expect(first.split('\n')).toHaveLength((texts[0] ?? '').split('\n').length);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('handles any text, and never lengthens one without a secret', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...`ab:=@/?&#"'|>-{}[],*!% \t\r\n`, '&p ', '*p', 'token', '\u{1f600}'),
        }),
        (text) => {
          const result = shown(text);
          expect(result.split('\n')).toHaveLength(text.split('\n').length);
          if (!result.includes('***')) expect(result).toBe(text);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

test('takes linear time', () => {
  const units = [
    'a',
    'a:',
    'token',
    'token=',
    'token: ',
    '://',
    '://a:b',
    'a:b@',
    ' ',
    '\t',
    '--a ',
    'eyJ',
    'eyJaaaaaaaa.',
  ];
  for (const unit of [
    ...units,
    'Bearer ',
    'sk-',
    '-----BEGIN PRIVATE KEY-----',
    '%',
    '?token=',
    'token_url:',
    "'",
    '\\',
    '- ',
  ])
    for (const layout of [
      (text: string) => `a: ${text}`,
      (text: string) => `a: |\n  ${text}`,
      (text: string) => `# ${text}`,
    ]) {
      const text = layout(unit.repeat(200_000 / unit.length));
      // What is not linear takes minutes here, and the test times out.
      expect(shown(text).length, JSON.stringify(text.slice(0, 20))).toBeGreaterThan(0);
    }
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hideInMessage, hideSecrets, secretsInText } from './redact-text.ts';

const S = 'hunter2hunter2';

test.each([
  [`connect http://me:${S}@host:1/x failed`, 'connect http://***@host:1/x failed'],
  [`GET /x?api_key=${S}&y=1`, 'GET /x?api_key=***&y=1'],
  [`--password ${S} --verbose`, '--password *** --verbose'],
  [`Authorization: Bearer ${S}`, 'Authorization: ***'],
  [`sent Bearer ${S} there`, 'sent Bearer *** there'],
  ['sent Basic dXNlcjpwYXNz there', 'sent Basic *** there'],
  ['Basic authentication is needed', 'Basic authentication is needed'],
  ['{"Token":{"value":"abcd"},"more":1}', '{"Token":***,"more":1}'],
  ['{"secrets":["a","b}"],"x":1}', '{"secrets":***,"x":1}'],
  ['{"Token":{"value":"abcd', '{"Token":***'],
  ['token: {{ env.LOKI_TOKEN }}', 'token: {{ env.LOKI_TOKEN }}'],
  [`?next=PASSWORD%3D${S}%26x%3D1`, '?next=PASSWORD%3D***'],
  [`?next=PASSWORD%253D${S}%2526x%253D1`, '?next=PASSWORD%253D***'],
  [`q=%7B%22api_key%22%3A%22${S}%22%7D`, 'q=%7B%22api_key%22%3A%***%22%7D'],
  ['choose another with --kubeconfig or KUBECONFIG', 'choose another with --kubeconfig or KUBECONFIG'],
  ['--kubeconfig order66x', '--kubeconfig ***'],
  [`x%20--password ${S}`, 'x%20--password ***'],
  ['token: ***1', 'token: ***1'],
  ['listing was denied; grant "list" with a Role', 'listing was denied; grant "list" with a Role'],
])('%s', (text, shown) => {
  expect(hideSecrets(text)).toBe(shown);
});

test.each([
  'there is no such file',
  'it is a folder',
  'it is not a folder',
  'this user may not read it',
  'it is not YAML: bad indentation in line 3',
  'clusters, contexts and users must be lists of mappings',
  'user "me": username must be a string',
])('the name of a file hides no reason: %s', (why) => {
  for (const file of ['/home/me/kubeconfig', '/etc/tls/token', 'secret', '/a:/b/kubeconfig'])
    expect(hideSecrets(`cannot read the kubeconfig ${file}: ${why}; choose another`)).toBe(
      `cannot read the kubeconfig ${file}: ${why}; choose another`,
    );
});

const NAMES = ['github-token-mcp', 'prom-auth', 'vault-secret', 'password'];
const PLACES = [
  'Service shop/',
  'Service east/shop/',
  'ConfigMap shop/',
  'overrides.yaml, tool ',
  'overrides.yaml, tool shop/',
  'overrides.yaml, tools shop/a, shop/',
  'overrides.yaml, mcp_servers shop/',
  'overrides.yaml, holmesgpt.toolsets ',
  'custom_toolset.yaml, toolsets ',
  'ConfigMap shop/agent, mcp_servers ',
  'credentials shop/',
  'tenants shop/',
  'certificates shop/',
  'certificates ',
  'backends shop/',
  'namespace ',
  'tool ',
  'shop/',
  'no entry point works: Service ',
  'left out (shop/',
];

test.each(PLACES.flatMap((place) => NAMES.map((name) => `${place}${name}`)))(
  'the name hides nothing, and a secret is hidden: %s',
  (where) => {
    const message = (secret: string): string =>
      `${where}: is left out, GET http://${secret}@host/ and token: ${secret}`;
    expect(hideInMessage(message(S))).toBe(message('***'));
    expect(hideInMessage(`${where}: asks x; it waits for approval`)).toBe(
      `${where}: asks x; it waits for approval`,
    );
    expect(hideInMessage(`${where}.shop: the settings exclude it`)).toContain('the settings exclude it');
  },
);

test.each([
  [`/etc/password: ${S}`, '/etc/password: ***'],
  ['/etc/password: correct horse battery', '/etc/password: ***'],
  ['invalid username/password: swordfish', 'invalid username/password: ***'],
  [`invalid username/password: ${S} was sent`, 'invalid username/password: *** was sent'],
  ['example.com/token: correct horse battery', 'example.com/token: ***'],
  [`Service token: ${S}`, 'Service token: ***'],
  ['Service unavailable, password: correct horse', 'Service unavailable, password: ***'],
  ['shop/api-token: {username: a, x: b}', 'shop/api-token: ***'],
  ['overrides.yaml, line 3: password: correct horse', 'overrides.yaml, line 3: password: ***'],
  ['Service shop/password: password: correct horse', 'Service shop/password: password: ***'],
  ['Service shop/password=correct horse', 'Service shop/password=*** horse'],
])('what only resembles a reference is still hidden: %s', (text, shown) => {
  expect(hideInMessage(text)).toBe(shown);
});

test.each([
  'a.yaml:2:3: credentials.stack-grafana.monitoring: is neither a type nor namespace/service',
  'a.yaml:20:31: tenants.api-token: names no tenant',
  'a.yaml:20:31: certificates.api-token: names no file',
  '/b c/a.yaml:2:3: credentials.monitoring/grafana.apiKey: is not the name of a variable',
])('the reason of a fault in a configuration file is shown: %s', (text) => {
  expect(hideInMessage(text)).toBe(text);
});

test.each([
  ['a.yaml:2:3: credentials.grafana.apiKey: swordfish', 'a.yaml:2:3: credentials.grafana.apiKey: ***'],
  ['a.yaml:2:3: password: correct horse', 'a.yaml:2:3: password: ***'],
  ['12:30: credentials.x: s3cret word', '12:30: credentials.x: *** word'],
])('a secret in one is hidden: %s', (text, shown) => {
  expect(hideInMessage(text)).toBe(shown);
});

test('texts of others have no references', () => {
  expect(hideSecrets('shop/password: is that')).toBe('shop/password: is that'.replace(/is.*/, '***'));
});

const part = fc.oneof(
  fc.constantFrom(
    'password',
    'token',
    'http',
    '://',
    ':',
    '=',
    '@',
    ' ',
    '\t',
    '--',
    '%20',
    '%2522',
    '-',
    '"',
    '&',
    '?',
    '/',
  ),
  fc.constantFrom(
    'Bearer',
    'basic',
    'ApiKey',
    'ghp_',
    'glsa_',
    'xoxb-',
    'AKIA',
    'AIza',
    'hvs.',
    'sk-',
    'eyJ',
    '.',
  ),
  fc.constantFrom(S, 'a1b2c3d4e5f6g7h8A', '-----BEGIN RSA PRIVATE KEY-----', 'host', 'x'),
);

test('no match in a text is skipped', () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
      (text) => {
        const kept = secretsInText(text).filter(([start]) => !text.startsWith('***', start));
        expect(hideSecrets(text) === text).toBe(kept.length === 0);
      },
    ),
    { numRuns: 5_000 },
  );
});

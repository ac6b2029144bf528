import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configFileSchema } from '../../src/config/file.ts';
import { readSettings } from '../../src/config/settings.ts';
import { unreadable } from '../../src/model/unreadable.ts';
import { SMALL } from '../../src/model/yaml-document.ts';
import { readYaml } from '../../src/model/yaml-text.ts';
import { checkText } from '../../src/outputs/check-text.ts';
import { readOverrides } from '../../src/outputs/read-overrides.ts';
import { parseManifest } from '../../src/sources/manifest-text.ts';

const messagesOf = (faults: readonly { readonly message: string }[]): string[] =>
  faults.map(({ message }) => message);

/** Readers of texts in which a person may write a secret, each with the messages that it gives. */
const READERS: Readonly<Record<string, (text: string) => readonly string[]>> = {
  overrides: (text) => {
    const read = readOverrides(text);
    return 'faults' in read ? messagesOf(read.faults) : [];
  },
  config: (text) => {
    const read = readYaml(text, configFileSchema);
    return 'faults' in read ? messagesOf(read.faults) : [];
  },
  holmesgpt: (text) => messagesOf(checkText('holmesgpt', text, SMALL).faults),
  kubeconfig: (text) => {
    try {
      new KubeConfig().loadFromString(text);
      return [];
    } catch (error) {
      return [unreadable(error)];
    }
  },
  manifests: (text) => parseManifest(text, 'f.yaml', 'default').problems.map(({ what }) => what),
};

/** Texts with a place for a value: under keys that name a secret and under others, where it has the right type or not. */
const TEXTS: readonly (readonly [reader: keyof typeof READERS, text: string])[] = [
  ['overrides', 'tools: { a/b: { enabled: VALUE } }'],
  ['overrides', 'tools: { a/b: { approved: VALUE } }'],
  ['overrides', 'tools: { a/b: { approvedTools: VALUE } }'],
  ['overrides', 'tools: { a/b: { endpoint: VALUE } }'],
  ['overrides', 'tools: { a/b: { type: VALUE } }'],
  ['overrides', 'tools: { a/b: VALUE }'],
  ['overrides', 'tools: VALUE'],
  ['overrides', 'holmesgpt: { toolsets: { loki: VALUE } }'],
  ['overrides', 'holmesgpt: { toolsets: { loki: { config: { headers: { X-Scope: VALUE } } } } }'],
  ['overrides', 'VALUE'],
  ['overrides', 'holmesgpt:\n  mcp_servers:\n    x:\n      config:\n        url: VALUE\n'],
  ['overrides', 'holmesgpt:\n  mcp_servers:\n    x: { config: { url: u, headers: { a: VALUE, b: "x } } }\n'],
  ['config', 'credentials: { loki: { apiKey: VALUE } }'],
  ['config', 'credentials: { loki: { namespaces: VALUE } }'],
  ['config', 'credentials: { loki: { headers: { X-Scope: VALUE } } }'],
  ['config', 'credentials: { loki: VALUE }'],
  ['config', 'credentials: VALUE'],
  ['config', 'detectors: { loki: { enabled: VALUE } }'],
  ['config', 'detectors: { loki: { priority: VALUE } }'],
  ['config', 'detectors: { loki: { require: VALUE } }'],
  ['config', 'detectors: { loki: { healthPath: VALUE } }'],
  ['holmesgpt', 'toolsets: { grafana/loki: { enabled: VALUE } }'],
  ['holmesgpt', 'toolsets: { grafana/loki: { config: VALUE } }'],
  ['holmesgpt', 'toolsets: { grafana/loki: { enabled: true, config: { api_url: VALUE, headers: VALUE } } }'],
  [
    'holmesgpt',
    'toolsets: { grafana/loki: { enabled: true, config: { verify_ssl: VALUE, timeout_seconds: VALUE } } }',
  ],
  [
    'holmesgpt',
    'toolsets: { x: { type: http, config: { endpoints: [{ hosts: [VALUE], auth: { type: VALUE } }] } } }',
  ],
  ['holmesgpt', 'toolsets: { x: { type: http, config: { endpoints: [{ hosts: ["me:VALUE@h:0"] }] } } }'],
  ['holmesgpt', 'toolsets: { x: { type: VALUE } }'],
  ['holmesgpt', 'toolsets: { x: { type: mcp, config: { mode: VALUE, url: VALUE } } }'],
  ['holmesgpt', 'mcp_servers: { x: { config: { url: VALUE, headers: [VALUE] } } }'],
  [
    'holmesgpt',
    'mcp_servers:\n  x:\n    config:\n      headers:\n        Authorization: VALUE\n      url: http://u\n',
  ],
  ['kubeconfig', 'users:\n- name: me\n  user:\n    token: VALUE\n'],
  ['kubeconfig', 'users: [{ name: me, user: { token: VALUE, password: "x } }]\n'],
  ['manifests', 'kind: Secret\nstringData:\n  password: VALUE\n'],
  ['manifests', 'kind: Secret\nstringData: { password: VALUE, x: "y }\n'],
];

/** Ways in which a person writes a value, the ones that YAML reads as something else among them. */
const SPELLINGS: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => `"${value}"`,
  (value) => `"\\${value}"`,
  (value) => `"\\U${value}"`,
  (value) => `*${value}`,
  (value) => `!${value}`,
  (value) => `!<${value}> x`,
  (value) => `!a!${value} x`,
  (value) => `&${value} x`,
  (value) => `%${value}`,
  (value) => `|${value}`,
  (value) => `>-${value}`,
  (value) => `@${value}`,
  (value) => `\`${value}`,
  (value) => `- ${value}`,
  (value) => `"a" ${value}`,
  (value) => `a: ${value}: b`,
  (value) => `[${value}, [${value}]]`,
];

/** Whether a message holds so much of a value that somebody could use it. */
function repeats(message: string, value: string): boolean {
  const size = Math.min(4, value.length);
  return Array.from({ length: value.length - size + 1 }, (_, at) => value.slice(at, at + size)).some((part) =>
    message.toLowerCase().includes(part.toLowerCase()),
  );
}

describe('no fault repeats a value that may be a secret', () => {
  // Letters that stand in no word of ours; digits, as an unquoted number is one.
  const word = fc.stringMatching(/^[QZXJ]{4}[qzxj0-9]{4,12}$/);
  const number = fc.stringMatching(/^7[3-9]{7}$/);
  test.each(TEXTS)('%s: %s', (reader, text) => {
    fc.assert(
      fc.property(fc.oneof(word, number), fc.constantFrom(...SPELLINGS), (value, spelt) => {
        const messages = READERS[reader]?.(text.replaceAll('VALUE', spelt(value))) ?? [];
        expect(messages.filter((message) => repeats(message, value))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the replacement text helps', () => {
  test.each([
    ['tools: { a/b: { enabled: "yes" } }', 'must be true or false, but is "yes"'],
    ['tools: { a/b: { enabled: hunter2 } }', 'must be true or false, but is a string'],
    ['tools: { a/b: { approvedTools: 5 } }', 'must be a string, but is a number'],
    ['tools: { a/b: { description: 5 } }', 'must be a string, but is a number'],
    ['holmesgpt: { toolsets: { x: { config: { token: *a } } } }', 'an alias (*) without an anchor'],
    ['holmesgpt: { toolsets: { x: { config: { token: !a } } } }', 'a tag (!)'],
  ])('%s', (text, expected) => {
    expect(READERS.overrides?.(text).join('\n')).toContain(expected);
  });

  test('a kubeconfig that is no YAML', () => {
    expect(READERS.kubeconfig?.('users:\n- user: { token: *abc }\n')).toEqual([
      'it is not YAML: unidentified alias in line 2',
    ]);
  });
});

test('a setting that cannot be read is shown, without what looks like a secret, and cut', () => {
  const given = (text: string) => ({ discoveryInterval: { text, origin: 'DISCOVERY_INTERVAL' } });
  expect(() => readSettings(given('often'))).toThrow('DISCOVERY_INTERVAL="often" is not a duration');
  expect(() => readSettings(given('http://h/?token=QZXJ1234'))).toThrow('?token=***" is not a duration');
  expect(() => readSettings(given(`x${'y'.repeat(1_000)}`))).toThrow(/^.{1,300}$/);
});

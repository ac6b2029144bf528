import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { keysAt } from '../model/schema-keys.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import type { FileKind } from './choices.ts';
import { validateCommand } from './validate.ts';

const OVERRIDES_KEYS = keysAt(overridesSchema, []).join(', ');

/** Runs `validate --kind KIND -` on a text, or `validate -`. */
async function validated(
  kind: FileKind | undefined,
  text: string | Readable,
  { path = '-', signal = new AbortController().signal } = {},
): Promise<{ code: number; lines: string[] }> {
  const stdin = typeof text === 'string' ? Readable.from([text]) : text;
  const { cli, written } = cliContext({ stdin, signal });
  const code = await validateCommand([path], kind === undefined ? {} : { kind }, cli);
  return { code, lines: `${written.result}${written.messages}`.split('\n').filter((line) => line !== '') };
}

test('faults are the result; that there are none is a note', async () => {
  const writtenFor = async (text: string) => {
    const { cli, written } = cliContext({ stdin: Readable.from([text]) });
    await validateCommand(['-'], { kind: 'overrides' }, cli);
    return written;
  };
  expect(await writtenFor('tools: {}\n')).toEqual({ result: '', messages: '-: valid (overrides)\n' });
  expect(await writtenFor('tools: 5\n')).toEqual({
    result: '-:1:8: tools: must be a mapping, but is a number\n',
    messages: '',
  });
});

test('a type in overrides that resembles one of a detector is a warning', async () => {
  const text = 'tools:\n  ledger:\n    type: promethus\n  orders:\n    type: orders\n';
  expect(await validated('overrides', text)).toEqual({
    code: 0,
    lines: [
      '-:3:5: warning: tools.ledger.type: there is no detector promethus; did you mean prometheus? (ignore this if one of your own detectors has it)',
    ],
  });
});

test('with faults, a note says as which kind a file was checked, unless a flag did', async () => {
  const text = 'toolsets: 5\n';
  const given = await validated('holmesgpt', text);
  const guessed = await validated(undefined, text);
  expect(given.lines).toHaveLength(1);
  expect(guessed.lines).toEqual([...given.lines, '-: checked as holmesgpt; choose another kind with --kind']);
});

describe('a file of HolmesGPT', () => {
  test('faults are reported with their place, and the exit code shows them', async () => {
    const { code, lines } = await validated(
      'holmesgpt',
      'toolsets:\n  grafana/loki:\n    enabled: true\n    config:\n      api_url: 5\n  loki:\n    enabled: true\n',
    );
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^-:5:7: toolsets\.grafana\/loki\.config\.api_url: must be a string/);
    expect(lines[1]).toMatch(/^-:6:3: toolsets\.loki: /);
  });

  test('warnings are printed, and are no failure', async () => {
    const { code, lines } = await validated(
      'holmesgpt',
      'toolsets:\n  grafana/loki: { enabled: true, config: { api_url: http://a, timeout: 5 } }\n',
    );
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^-:2:63: warning: .*\.timeout: .*ignores/);
  });
});

test('the part of overrides for HolmesGPT is checked on its own', async () => {
  const { code, lines } = await validated(
    'overrides',
    'tools: {}\nholmesgpt:\n  toolsets:\n    mine:\n      type: http\n      config: { endpoints: [] }\n',
  );
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^-:6:7: holmesgpt\.toolsets\.mine\.config: has no endpoints/);
});

test('credentials for the Prometheus that HolmesGPT finds itself are a warning, as serve uses them', async () => {
  const of = (config: string) =>
    `holmesgpt:\n  toolsets:\n    prometheus/metrics: { config: { ${config} } }\n`;
  const headers = 'additional_headers: { X-Scope-OrgID: a }';
  const { code, lines } = await validated('overrides', of(headers));
  expect(code).toBe(0);
  expect(lines[0]).toMatch(
    /^-:3:\d+: warning: .*additional_headers: is for the Prometheus that HolmesGPT finds/,
  );
  const beside = await validated(
    'overrides',
    of(`${headers}, instances: [{ name: a, prometheus_url: http://a }]`),
  );
  expect(beside.code).toBe(1);
});

test('and a change of a generated entry may be incomplete', async () => {
  const text = 'holmesgpt:\n  toolsets:\n    grafana/loki: { config: { timeout_seconds: 5 } }\n';
  expect(await validated('overrides', text)).toEqual({ code: 0, lines: ['-: valid (overrides)'] });
});

test('each unknown key has its own line, in file order', async () => {
  const { code, lines } = await validated(
    'overrides',
    'toolz: {}\ntools:\n  loki.logging:\n    descripton: x\n    enabled: maybe\n    url: http://a\ntoolsets: {}\nzzzzzz: 1\n',
  );
  expect(code).toBe(1);
  expect(lines).toEqual([
    '-:1:1: unknown key "toolz"; did you mean tools?',
    '-:4:5: tools.loki.logging: unknown key "descripton"; did you mean description?',
    expect.stringMatching(/^-:5:14: tools\.loki\.logging\.enabled: /),
    '-:6:5: tools.loki.logging: unknown key "url"; there are enabled, approved, approvedTools, type, endpoint, description, namespace, metadata',
    '-:7:1: unknown key "toolsets"; it belongs under holmesgpt',
    `-:8:1: unknown key "zzzzzz"; there are ${OVERRIDES_KEYS}`,
  ]);
});

test('a flood of unknown keys is truncated', async () => {
  const { lines } = await validated(
    'overrides',
    Array.from({ length: 1000 }, (_, index) => `"${'k'.repeat(200)}${index}": 1`).join('\n'),
  );
  expect(lines).toHaveLength(51);
  expect(lines[50]).toBe('-: and 950 more');
  expect(lines[0]).toHaveLength(`-:1:1: unknown key ""; there are ${OVERRIDES_KEYS}`.length + 101);
});

describe('the kind of a file with another name', () => {
  test.each([
    ['tools: {}\nholmesgpt: {}\n', 'overrides'],
    ['toolsets:\n  kubernetes/core: { enabled: true }\n', 'holmesgpt'],
    ['namespaces: [a]\ndetectors: {}\n', 'config'],
  ])('follows from the keys of %j', async (text, kind) => {
    expect(await validated(undefined, text)).toEqual({ code: 0, lines: [`-: valid (${kind})`] });
  });

  test('is not needed for a ConfigMap, which is none of them', async () => {
    await expect(validated(undefined, 'kind: ConfigMap\ndata: {}\n')).rejects.toThrow(
      '- is a ConfigMap; save one of the documents in its data to a file, and validate that',
    );
  });

  test('does not matter if it is not YAML', async () => {
    const { code, lines } = await validated(undefined, 'tools: {\n');
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^-:\d+:\d+: /);
  });

  test.each(['some: thing\n', '- 1\n', ''])('must be given for %j', async (text) => {
    await expect(validated(undefined, text)).rejects.toThrow(/--kind \(overrides, /);
  });
});

describe('checks beyond the schema', () => {
  test('a setting must have a valid value', async () => {
    const { code, lines } = await validated(
      'config',
      'namespaces: [monitoring]\ndiscoveryInterval: often\nmaxBackends: 0\n',
    );
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^-:2:20: discoveryInterval: is not a duration from /),
      '-:3:14: maxBackends: is below 1',
    ]);
  });

  test('values are checked beside unknown keys, and a type without a built-in detector is a warning', async () => {
    const { code, lines } = await validated(
      'config',
      'foo: 1\nmaxBackends: abc\nmcpPolicy: yes\ndetectors:\n  grafanna: {enabled: false}\n',
    );
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^-:1:1: unknown key "foo"/),
      '-:2:14: maxBackends: is not a whole number',
      expect.stringMatching(/^-:3:12: mcpPolicy: must be one of publish, approve, off/),
      expect.stringMatching(
        /^-:5:3: warning: detectors\.grafanna: there is no detector .* did you mean grafana\?/,
      ),
    ]);
    const only = await validated('config', 'detectors:\n  abacus: {enabled: false}\n');
    expect(only).toMatchObject({
      code: 0,
      lines: [expect.stringMatching(/^-:2:3: warning: .*ignore this if/)],
    });
  });

  test('settings that contradict each other are warnings, because others may be variables', async () => {
    const text =
      'holmesgptReload: restart\ntlsCertFile: /x\nauthEnabled: false\nauthorizationEnabled: true\n';
    const { code, lines } = await validated('config', text);
    expect(code).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(
        /^-:1:1: warning: HOLMESGPT_RELOAD .*needs HolmesGPT's Deployment; .*ignore this if/,
      ),
      expect.stringMatching(/^-:1:1: warning: TLS needs a certificate and its key; .*ignore this if/),
      expect.stringMatching(/^-:1:1: warning: AUTHORIZATION_ENABLED .* has no effect/),
    ]);
  });

  test.each([
    ['outputs:\n  holmesgpt:\n    ', '-:7:25: warning: outputs.holmesgpt.'],
    ['holmes:\n    ', '-:6:25: warning: holmes.'],
  ])(
    'an unknown toolset in a detector is a warning, as another version may have it: %j',
    async (above, at) => {
      const { code, lines } = await validated(
        'detector',
        `type: a\ntitle: A\ndescription: A.\nports: {}\n${above}toolsets: [runbook, grafana/lokii, x-y-z]\n    config: {}\n`,
      );
      expect(code).toBe(0);
      expect(lines).toEqual([
        expect.stringMatching(
          /toolsets\.1: HolmesGPT 0\.45\.0 has no toolset "grafana\/lokii", so .* left out of custom_toolset\.yaml; did you mean grafana\/loki\?$/,
        ),
        expect.stringMatching(
          /toolsets\.2: HolmesGPT 0\.45\.0 has no toolset "x-y-z", so .* custom_toolset\.yaml$/,
        ),
      ]);
      expect(lines[0]).toContain(at);
    },
  );

  test('a key one letter from one of its place is that one, although another place has it too', async () => {
    const { lines } = await validated(
      'detector',
      'name: [x]\nfoo: 1\ntype: a\ntitle: A\ndescription: A.\nports: {}\n',
    );
    expect(lines).toEqual([
      expect.stringMatching(/unknown key "name"; did you mean names\?$/),
      expect.stringMatching(/unknown key "foo"; there are type, title, .*, probe, outputs\b/),
    ]);
  });

  test('a detector must use known roles', async () => {
    const { code, lines } = await validated(
      'detector',
      'type: a\ntitle: A\ndescription: A.\nports: {}\nholmes: { none: not read }\naccepts: [gatewy]\n',
    );
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^-:1:1: there is no role "gatewy"; the vocabulary has /);
  });
});

test.each([
  ['ftp://x', 'is not an http, https or tcp URL'],
  ['', 'is not an http, https or tcp URL'],
  ['http://x:70000', 'has a port that is out of range; ports are from 1 to 65535'],
])(
  'an endpoint in toolset.json may be of some protocols, which its fault names: %j',
  async (endpoint, fault) => {
    const tool = { name: 'a', type: 'b', endpoint, description: 'd' };
    expect(await validated('toolset-json', JSON.stringify({ tools: [tool] }))).toEqual({
      code: 1,
      lines: [expect.stringMatching(new RegExp(`^-:1:\\d+: tools\\.0\\.endpoint: ${fault}$`))],
    });
  },
);

test('a setting of another kind is refused with all kinds that it may have', async () => {
  expect(await validated('config', 'namespaces: { a: 1 }\n')).toEqual({
    code: 1,
    lines: ['-:1:13: namespaces: must be a string, a number, true or false or a list, but is a mapping'],
  });
});

describe('a text is too long where it is for `serve`', () => {
  const words = (count: number): string => `# ${'x'.repeat(1021)}\n`.repeat(count);

  test.each([
    ['overrides', 256, 'tools: {}\n'],
    ['holmesgpt', 1024, 'mcp_servers:\n  a: { config: { url: http://a/mcp } }\n'],
    ['toolset-json', 1024, 'tools: []\n'],
    ['config', 256, 'namespaces: [a]\n'],
    ['detector', 256, 'type: a\ntitle: A\ndescription: A.\nports: {}\nholmes: { none: not read }\n'],
  ] as const)('%s: at most %i KiB', async (kind, most, text) => {
    expect(await validated(kind, words(most - 1) + text)).toEqual({ code: 0, lines: [`-: valid (${kind})`] });
    expect(await validated(kind, words(most) + text)).toEqual({
      code: 1,
      lines: [`-:1:1: longer than ${most} KiB, the limit; shorten it`],
    });
  });

  test.each(['overrides', 'config', 'detector'] as const)('and too complex where it is: %s', async (kind) => {
    const { code, lines } = await validated(kind, `tools: {${'a: {}, '.repeat(34_000)}}\n`);
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /^-:\d+:\d+: more than 100000 tokens \(words, signs, line breaks\), the limit; shorten it$/,
      ),
    ]);
  });

  test('also while its kind is guessed from its keys', async () => {
    const { code, lines } = await validated(undefined, `${words(1024)}a: 1\n`);
    expect({ code, lines }).toEqual({
      code: 1,
      lines: ['-:1:1: longer than 1024 KiB, the limit; shorten it'],
    });
  });

  test('only the limit is reported for a large binary', async () => {
    const binary = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256));
    expect(await validated('overrides', binary.toString())).toEqual({
      code: 1,
      lines: ['-:1:1: longer than 256 KiB, the limit; shorten it'],
    });
  });
});

test('bytes that are not UTF-8 are a fault with their place', async () => {
  const text = Readable.from([Buffer.from('tools: {}\n# gr\xfcn\n', 'latin1')]);
  expect(await validated('overrides', text)).toEqual({
    code: 1,
    lines: ['-:2:5: it is not UTF-8; save it as UTF-8'],
  });
});

test('a file that does not exist is a mistake in the command', async () => {
  await expect(validated('overrides', '', { path: '/no/such.yaml' })).rejects.toThrow(
    'cannot read /no/such.yaml: there is no such file; name files, or - for standard input',
  );
});

describe('endless input', () => {
  test.each(['-', '/dev/stdin'])('standard input as %s is waited for until the signal', async (path) => {
    const stop = new AbortController();
    const running = validated('overrides', new Readable({ read() {} }), { path, signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toThrow('aborted');
  });

  test('a device is read up to the limit for files', async () => {
    expect(await validated('overrides', '', { path: '/dev/zero' })).toEqual({
      code: 1,
      lines: ['/dev/zero:1:1: it has more than 16 MiB, the limit for a file; shorten it'],
    });
  });
});

test.each(['connectTo', 'namespaces'])('a long value of %s is shortened in the message', async (name) => {
  const { lines } = await validated('config', `${name}: "${'A'.repeat(100_000)}"\n`);
  expect(lines[0]).toContain(`${name}: has "AAA`);
  expect(lines[0]?.length).toBeLessThan(300);
});

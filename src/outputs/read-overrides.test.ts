import { describe, expect, test } from 'vitest';
import { textOfBinary } from '../model/binary-text.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import { cacheOverrides, faultsLine, isCached, readOverrides } from './read-overrides.ts';

const value = (text: string) => {
  const result = readOverrides(text);
  if ('faults' in result) throw new Error(faultsLine(result));
  return result.value;
};
const faults = (text: string): string => {
  const result = readOverrides(text);
  if ('value' in result) throw new Error(`no fault in ${JSON.stringify(text)}`);
  return faultsLine(result);
};

describe('overrides.yaml', () => {
  test.each([undefined, '', '\n\n', '# nothing yet\n  # at all\n', '---\n', '{}'])(
    '%j overrides nothing',
    (text) => {
      const result = readOverrides(text);
      const { tools, mentions } = NO_OVERRIDES;
      expect(result).toMatchObject({ value: { tools, mentions } });
      expect(value(text ?? '').parts.holmesgpt).toEqual({});
    },
  );

  test('changes a tool by its name', () => {
    expect(
      value(`
tools:
  prometheus.monitoring: { enabled: false }
  loki.logging:
    endpoint: https://loki.example.com/team-a
    description: Logs of team A
`).tools,
    ).toEqual({
      'prometheus.monitoring': { enabled: false },
      'loki.logging': { endpoint: 'https://loki.example.com/team-a', description: 'Logs of team A' },
    });
  });

  test('may use anchors and aliases', () => {
    const { tools } = value('tools:\n  a.b: &off { enabled: false }\n  c.d: *off\n');
    expect(tools['c.d']).toEqual({ enabled: false });
  });

  test.each([
    ['an unknown field, at its key', 'tools:\n  a.b:\n    enabld: false\n', /line 3, column 5.*enabld/],
    ['a wrong value, at the value', 'tools:\n  a.b:\n    enabled: maybe\n', /line 3, column 14.*enabled/],
    [
      'an invalid hash of tools',
      'tools:\n  a/b: { approved: mcp, approvedTools: 3 }\n',
      /line 2.*approvedTools/,
    ],
    [
      'a hash of tools that approve did not write',
      'tools:\n  a/b: { approved: mcp, approvedTools: sha256:abc }\n',
      /line 2.*approvedTools.*is not what approve writes/,
    ],
    ['an unknown part', 'tool:\n  a.b: {}\n', /line 1, column 1.*tool/],
    ['text that is no YAML', 'tools: [a\n', /line \d+, column \d+/],
    ['a key twice', 'tools:\n  a.b: {}\n  a.b: {}\n', /line 3.*duplicate key; remove one/],
    [
      'a template, which the URL parser would encode',
      'tools:\n  a.b:\n    endpoint: "http://loki:3100/{{ env.TEAM }}"\n',
      /line 3.*\{\{/,
    ],
    ['no URL', 'tools:\n  a.b:\n    endpoint: loki:3100\n', /line 3.*URL/],
    ['a host alone', 'tools:\n  a.b:\n    endpoint: loki.example.com\n', /line 3, column 15.*URL/],
    ['a text with spaces', 'tools:\n  a.b:\n    endpoint: not a URL\n', /line 3, column 15.*URL/],
    ['a URL with a password', 'tools:\n  a.b:\n    endpoint: http://u:p@x\n', /line 3.*credentials/],
    ['a broker without a port', 'tools:\n  a.b:\n    endpoint: tcp://kafka\n', /line 3.*port/],
    ['a list where a mapping belongs', 'tools:\n  - name: a\n', /line 2.*tools/],
    ['a key with a dot for HolmesGPT', 'holmesgpt:\n  toolsets:\n    a.b: {}\n', /line \d.*dot/],
    ['a text where the whole belongs', 'hello\n', /line 1/],
  ])('%s is reported with its place', (_, text, message) => {
    expect(faults(text)).toMatch(message);
  });

  test('bytes that are not UTF-8 are reported with their place and what to do', () => {
    const bytes = Buffer.from('tools:\n  a.b: {} # für uns\n', 'latin1').toString('base64');
    expect(faults(textOfBinary(bytes))).toMatch(
      /^line 2, column 14: this is not UTF-8, so Kubernetes keeps the file in binaryData; save it as UTF-8/,
    );
  });

  test('a password is not in the message', () => {
    expect(faults('tools:\n  a.b:\n    endpoint: http://u:hunter2@x\n')).not.toContain('hunter2');
  });

  test('a bomb of aliases is rejected quickly', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level++) {
      const name = String.fromCharCode(97 + level);
      const before = `*${String.fromCharCode(96 + level)}`;
      bomb.push(`${name}: &${name} [${Array(9).fill(before).join(',')}]`);
    }
    expect(faults(bomb.join('\n'))).toMatch(/alias/i);
  });

  test('an excessively long text is rejected', () => {
    expect(faults(`# ${'x'.repeat(300 * 1024)}\ntools: {}\n`)).toMatch(/256 KiB/);
  });

  test('__proto__ pollutes nothing', () => {
    const result = readOverrides('tools:\n  __proto__: { enabled: false }\n');
    expect(({} as { enabled?: unknown }).enabled).toBeUndefined();
    expect('value' in result || 'faults' in result).toBe(true);
  });

  test('is parsed once: the last four texts are cached, and a repeated one is the newest', () => {
    const texts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `tools: { ${name}.cache: {} }`);
    const [first = '', second = ''] = texts;
    for (const text of texts.slice(0, 4)) readOverrides(text);
    expect(readOverrides(first)).toBe(readOverrides(first));
    expect(texts.filter(isCached)).toEqual(texts.slice(0, 4));
    for (const text of texts.slice(4)) readOverrides(text);
    expect(texts.filter(isCached)).toEqual([first, ...texts.slice(3)]);
    // Somebody else may have read it, such as a worker thread.
    const read = { value: NO_OVERRIDES };
    cacheOverrides(second, read);
    expect(readOverrides(second)).toBe(read);
  });

  test('faults that are only counted are in the total', () => {
    const result = readOverrides('tools:\n  a: { enabled: 7 }\n');
    if ('value' in result) throw new Error('it has a fault');
    expect(faultsLine({ ...result, more: 7 })).toMatch(/^line 2.*; and 7 more$/);
    expect(faultsLine(result)).not.toContain('more');
  });

  test('of many faults the first three are reported, with the total', () => {
    const text = `tools:\n${['a', 'b', 'c', 'd', 'e'].map((name) => `  ${name}: { enabled: 7 }\n`).join('')}`;
    expect(faults(text)).toMatch(/line 2.*line 3.*line 4.*and 2 more/);
  });
});

test('a key behind a non-breaking space names that character', () => {
  const read = readOverrides('tools:\n  shop/loki:\n\u00a0\u00a0\u00a0\u00a0enabled: false\n');
  expect('faults' in read ? read.faults.map(({ message }) => message) : []).toContain(
    'unknown key "enabled" with U+00A0 before it, which is no indentation; use plain spaces',
  );
});

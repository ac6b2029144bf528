import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BAD, GOOD, STRICTER } from '../../../../test/contract/documents.ts';
import { LARGE } from '../../../model/yaml-document.ts';
import { holmesTextFaults } from '../output.ts';
import { holmesFaults } from './contract.ts';
import { RULES } from './model-rules.ts';
import { HOLMES } from './models.ts';

// That HolmesGPT itself judges these documents in the same way is what `npm run test:contract` shows.
describe('HolmesGPT accepts', () => {
  test.each(Object.entries(GOOD))('%s', (_, text) => {
    expect(holmesTextFaults(text, LARGE).faults.filter(({ level }) => level === 'fault')).toEqual([]);
  });
});

describe('HolmesGPT rejects', () => {
  test.each(Object.entries({ ...BAD, ...STRICTER }))('%s', (_, text) => {
    expect(holmesTextFaults(text, LARGE).faults.filter(({ level }) => level === 'fault')).not.toEqual([]);
  });
});

describe('places and messages of faults', () => {
  const prometheus = (config: unknown) => ({ toolsets: { 'prometheus/metrics': { enabled: true, config } } });
  test.each<[unknown, (string | number)[], RegExp, 'fault' | 'warning']>([
    [
      { toolsets: { 'Grafana/Loki': {} } },
      ['toolsets', 'Grafana/Loki'],
      /did you mean grafana\/loki/,
      'fault',
    ],
    [{ toolsets: { constructor: {} } }, ['toolsets', 'constructor'], /not a built-in/, 'fault'],
    [
      { toolsets: { 'kubernetes/core': {} } },
      ['toolsets', 'kubernetes/core'],
      /stays switched off/,
      'warning',
    ],
    [{ toolsets: { 'kubectl-run': {} } }, ['toolsets', 'kubectl-run'], /no more/, 'warning'],
    [{ toolsets: { runbook: { enabled: true } } }, ['toolsets', 'runbook'], /write skills/, 'warning'],
    [
      { toolsets: { 'cilium/core': { enabled: true } } },
      ['toolsets', 'cilium/core'],
      /command line/,
      'warning',
    ],
    [{ toolsets: { 'grafana/loki': { type: 'http' } } }, ['toolsets', 'grafana/loki'], /built-in/, 'fault'],
    [
      prometheus({ instances: [{ prometheus_url: 'http://a' }, { name: 'b', prometheus_url: 5 }] }),
      ['toolsets', 'prometheus/metrics', 'config', 'instances', 1, 'prometheus_url'],
      /must be a string, but is a number/,
      'fault',
    ],
    [
      prometheus({ prometheus_url: 'http://a', verify: true }),
      ['toolsets', 'prometheus/metrics', 'config', 'verify'],
      /ignores it/,
      'warning',
    ],
    [
      prometheus({ verify_ssl: 'x', instances: [{ name: 'a', prometheus_url: 'http://a' }] }),
      ['toolsets', 'prometheus/metrics', 'config', 'verify_ssl'],
      /true or false/,
      'fault',
    ],
    [
      prometheus({ headers: { a: 5 }, prometheus_url: 'http://a' }),
      ['toolsets', 'prometheus/metrics', 'config', 'headers', 'a'],
      /must be a string/,
      'fault',
    ],
    [prometheus({}), ['toolsets', 'prometheus/metrics', 'config'], /looks for one itself/, 'warning'],
    [
      { mcp_servers: { a: { config: { url: 'http://a', mode: 'tcp' } } } },
      ['mcp_servers', 'a', 'config', 'mode'],
      /sse, streamable-http, stdio/,
      'fault',
    ],
  ])('%j', (document, path, message, level) => {
    expect(holmesFaults(document)).toContainEqual({ path, message: expect.stringMatching(message), level });
  });

  test('in a text, by line and column', () => {
    const text =
      'toolsets:\n  grafana/loki:\n    enabled: true\n    config: { api_url: http://a, max_retries: 0 }\n';
    expect(holmesTextFaults(text, LARGE).faults).toEqual([
      expect.objectContaining({
        line: 4,
        column: 34,
        message: expect.stringMatching(/max_retries: .*1 or more/),
      }),
    ]);
  });
});

test('a fault for which HolmesGPT rejects the whole file hides no others', () => {
  const document = {
    extra: 1,
    toolsets: {
      'my.tool': { tools: [{ name: 'a', description: 'b' }] },
      'grafana/loki': { enabled: true, bogus: 1, config: { api_url: 5 } },
      'grafana/lokii': { enabled: true },
      text: 'x',
    },
    mcp_servers: { a: { config: { url: 'http://a', mode: 'tcp' } } },
  };
  expect(holmesFaults(document).map(({ path, message }) => `${path.join(' ')}: ${message}`)).toEqual([
    'toolsets my.tool: contains a dot, which HolmesGPT rejects in any key',
    expect.stringMatching(/^toolsets text: /),
    expect.stringMatching(/^extra: HolmesGPT reads/),
    'toolsets my.tool: lacks description',
    'toolsets my.tool tools 0: lacks command or script',
    'toolsets grafana/loki bogus: HolmesGPT has no such field here',
    expect.stringMatching(/^toolsets grafana\/loki config api_url: must be a string/),
    expect.stringMatching(
      /^toolsets grafana\/lokii: is not a built-in toolset .*; did you mean grafana\/loki\?$/,
    ),
    'toolsets grafana/lokii: lacks description',
    expect.stringMatching(/^mcp_servers a config mode: /),
  ]);
});

test('for any content of the file, the check ends with faults and never throws', () => {
  const names = fc.constantFrom('grafana/loki', 'kafka/admin', 'mine', '__proto__', 'toString');
  const fields = fc.dictionary(fc.constantFrom('enabled', 'type', 'config', 'tools', 'url'), fc.jsonValue());
  const section = fc.oneof(fc.dictionary(names, fields), fc.jsonValue());
  fc.assert(
    fc.property(fc.record({ toolsets: section, mcp_servers: section }), (document) => {
      for (const { path, message } of holmesFaults(document)) {
        expect(message).not.toBe('');
        expect(path.length).toBeLessThan(50);
      }
    }),
  );
});

test('each validator of the models has a rule, and each rule a validator', () => {
  const validators = new Set(Object.values(HOLMES.models).flatMap(({ validators = [] }) => validators));
  expect(Object.keys(RULES).sort()).toEqual([...validators].sort());
});

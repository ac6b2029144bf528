import { expect, test } from 'vitest';
import { textOfBinary } from '../model/binary-text.ts';
import { keyOf, readConfigData } from './config-map.ts';
import { SETTING_NAMES } from './setting-table.ts';

const WHERE = 'ConfigMap kubernaut-system/dynamic-toolset-config';

const TYPES = () => ({ known: ['grafana', 'loki'], isComplete: true });
const faults = (data: Record<string, string>): readonly string[] => readConfigData(data, WHERE, TYPES).faults;

test('reads settings by key, and options of detectors, credentials, tenants and certificates from YAML; an empty text counts as unset', () => {
  const read = readConfigData(
    {
      'discovery-interval': ' 30s\n',
      namespaces: '*',
      'log-level': '  ',
      detectors: 'grafana:\n  enabled: false\n',
      credentials: 'prometheus: {bearerToken: PROM_TOKEN, namespaces: [monitoring]}',
      tenants: 'loki: team-a\nmonitoring/mimir: [1, b]\n',
      certificates: 'monitoring/*: {caFile: /etc/ca.pem}',
    },
    WHERE,
    TYPES,
  );
  expect(read.texts).toEqual({ discoveryInterval: '30s', namespaces: '*' });
  expect(read.detectors).toMatchObject({ grafana: { enabled: false } });
  expect(read.credentials).toEqual({
    prometheus: { bearerToken: 'PROM_TOKEN', namespaces: ['monitoring'] },
  });
  expect(read.faults).toEqual([]);
  expect(read.certificates).toEqual({ 'monitoring/*': { caFile: '/etc/ca.pem' } });
  expect(read.tenants).toEqual({ loki: ['team-a'], 'monitoring/mimir': ['1', 'b'] });
  expect(read.origin('discoveryInterval')).toBe(`${WHERE}: discovery-interval`);
});

test('rejects credentials without namespaces, with their place and what to write', () => {
  const [fault] = faults({ credentials: 'loki:\n  bearerToken: LOKI_TOKEN\n' });
  expect(fault).toMatch(/credentials:\d+:\d+: loki: names no namespaces, .*add "namespaces: \[monitoring\]"/);
});

test('accepts every setting except those that locate the ConfigMap', () => {
  const all = SETTING_NAMES;
  const fixed = all.filter((name) => faults({ [keyOf(name)]: 'x' }).length > 0);
  expect(fixed).toEqual(['configMapNamespace', 'settingsConfigMap']);
});

test('reports each fault with its key, and its line and column in YAML', () => {
  expect(
    faults({
      namespace: 'monitoring',
      detectors: 'grafana:\n  enabled: perhaps\n',
      credentials: 'loki: [',
      'settings-configmap': 'other',
      constructor: 'x',
    }),
  ).toEqual([
    expect.stringContaining(`${WHERE}: detectors:2:12:`),
    expect.stringContaining(`${WHERE}: credentials:1:`),
    expect.stringMatching(/"namespace" is not a setting; did you mean namespaces\?$/),
    expect.stringContaining('settings-configmap says where this ConfigMap is'),
    expect.stringContaining('"constructor" is not a setting'),
  ]);
  expect(faults(JSON.parse('{"__proto__": "x"}'))).toEqual([
    expect.stringContaining('"__proto__" is not a setting'),
  ]);
});

test('reads the settings beside faults, so that their values can be checked too', () => {
  const { texts } = readConfigData({ colour: 'red', 'max-backends': 'abc' }, WHERE, TYPES);
  expect(texts).toEqual({ maxBackends: 'abc' });
});

test('a key that is like no other does not cause a list of all', () => {
  const [fault = ''] = faults({ colour: 'red' });
  expect(fault).toContain('such as max-backends for MAX_BACKENDS');
  expect(fault.length).toBeLessThan(250);
});

test('rejects options of an unknown type, with its place, unless the types are not known completely', () => {
  const data = { detectors: 'loki: {enabled: false}\ngrafanna: {enabled: false}\n' };
  expect(faults(data)).toEqual([
    `${WHERE}: detectors:2:1: grafanna: there is no detector of this type; did you mean grafana?`,
  ]);
  const unknown = () => ({ known: ['loki'], isComplete: false });
  expect(readConfigData(data, WHERE, unknown).faults).toEqual([]);
});

test('rejects a key with very many tokens before it is parsed', () => {
  const credentials = `[${'1,'.repeat(13_000)}]`;
  expect(faults({ credentials })).toEqual([expect.stringMatching(/more than 25000 tokens/)]);
});

test('rejects texts that are not UTF-8', () => {
  const bytes = textOfBinary(Buffer.from('30s # für alle', 'latin1').toString('base64'));
  expect(faults({ 'discovery-interval': bytes, detectors: bytes })).toEqual([
    expect.stringMatching(/: detectors:1:8: this is not UTF-8, .*; save it as UTF-8/),
    expect.stringMatching(/: discovery-interval: this is not UTF-8, .*; save it as UTF-8/),
  ]);
});

import { expect, test } from 'vitest';
import { builtInDetectors } from '../config/detector-files.ts';
import { interestOf } from '../detection/interest.ts';
import { makeRules } from '../detection/make-rules.ts';
import { selectionOf } from '../detection/selection.ts';
import type { Service } from '../model/service.ts';
import { serviceFromObject } from '../sources/service-object.ts';

const interest = interestOf(makeRules(builtInDetectors()).rules);

const numbered = (many: number, prefix = 'k'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: many }, (_, n) => [`${prefix}${String(n).padStart(5, '0')}`, 'v']));
const ports = (many: number): { readonly name: string; readonly port: number }[] =>
  Array.from({ length: many }, (_, n) => ({ name: `p${n}`, port: 20_000 + n }));

function kept(metadata: object, spec: object = {}): Service {
  const object = { metadata: { name: 'a', ...metadata }, spec: { ports: [{ port: 80 }], ...spec } };
  const service = serviceFromObject(object, 'd', interest);
  if (typeof service === 'string') throw new Error(service);
  return service;
}

test('of 8,000 ports, those in annotations and rules are kept, then the first ones', () => {
  const all = [
    ...ports(8_000),
    { name: 'web', port: 9090 },
    { name: 'mine', port: 81 },
    { name: 'b', port: 82 },
  ];
  const annotations = {
    'kubernaut.io/toolset-endpoint': 'http://a.d:81/x',
    'kagent.dev/mcp-service-port': '82',
  };
  const service = kept({ annotations }, { ports: all });
  expect(service.ports).toHaveLength(64);
  expect(service.ports.map(({ port }) => port)).toEqual([...ports(61).map(({ port }) => port), 9090, 81, 82]);
  expect(service.trimmed).toEqual({ ports: 8_003 });
});

test('the number of ports in rules is limited too', () => {
  const claiming = Array.from({ length: 1_000 }, (_, n) => ({
    name: `p${n}`,
    port: 1 + n,
    targetPort: 9090,
  }));
  expect(kept({}, { ports: claiming }).ports).toHaveLength(64);
});

test('of many labels and selector entries, those in rules are kept, in addition to the first ones', () => {
  const labels = { ...numbered(500), 'z/other': 'v', name: 'loki', 'app.kubernetes.io/part-of': 'holmes' };
  const service = kept({ labels }, { selector: { ...numbered(500), 'k8s-app': 'loki' } });
  expect(Object.keys(service.labels)).toEqual([
    ...Object.keys(numbered(50)),
    'name',
    'app.kubernetes.io/part-of',
  ]);
  expect(Object.keys(service.selector)).toEqual([...Object.keys(numbered(50)), 'k8s-app']);
  expect(service.trimmed).toEqual({ labels: 503, selector: 501 });
});

test('selectors that differ in a dropped entry are still different, and equal ones stay equal', () => {
  const entries = Object.entries(numbered(500));
  const keyOf = (selector: object): string | undefined => selectionOf(kept({}, { selector })).key;
  const all = keyOf(Object.fromEntries(entries));
  expect(all).toBeDefined();
  expect(keyOf(Object.fromEntries(entries.toReversed()))).toBe(all);
  expect(keyOf(Object.fromEntries([...entries.slice(0, -1), ['k00499', 'w']]))).not.toBe(all);
});

test('annotations that no rule reads are dropped, and others are truncated to what rules allow', () => {
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(200_000),
    'kubernaut.io/toolset-description': 'd'.repeat(200_000),
    'service.beta.openshift.io/serving-cert-secret-name': 'tls',
  };
  const service = kept({ annotations });
  expect(Object.keys(service.annotations)).toEqual(Object.keys(annotations).slice(1));
  expect(service.annotations['kubernaut.io/toolset-description']).toHaveLength(4_096);
});

test('an ordinary Service is unchanged', () => {
  const labels = { app: 'loki', team: 'a' };
  const service = kept({ labels }, { selector: labels, ports: ports(64) });
  expect(service).toMatchObject({ labels, selector: labels, ports: ports(64) });
  expect(service).not.toHaveProperty('trimmed');
});

import { describe, expect, test } from 'vitest';
import { serviceFromObject } from './service-object.ts';

const object = (metadata: object, spec: object = {}): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', ...metadata },
  spec: { ports: [{ port: 80 }], ...spec },
});
const taken = (metadata: object, spec: object = {}) => {
  const result = serviceFromObject(object(metadata, spec), 'default');
  if (typeof result === 'string') throw new Error(result);
  return result;
};
const refused = (metadata: object, spec: object = {}): string => {
  const result = serviceFromObject(object(metadata, spec), 'default');
  if (typeof result !== 'string') throw new Error('it was taken');
  return result;
};

describe('serviceFromObject', () => {
  test('keeps the creation time as the API server writes it, and nothing else in its place', () => {
    expect(taken({ creationTimestamp: '2026-03-04T05:06:07Z' }).created).toBe('2026-03-04T05:06:07Z');
    for (const creationTimestamp of [null, '', '0', '2026-03-04', 5])
      expect(taken({ creationTimestamp })).not.toHaveProperty('created');
  });

  test('keeps what discovery needs, and nothing else', () => {
    const service = taken(
      {
        name: 'prometheus',
        namespace: 'monitoring',
        uid: 'x',
        labels: { app: 'prometheus' },
        annotations: { note: 'two\nlines' },
        managedFields: [{}],
      },
      {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        selector: { app: 'p' },
        ports: [
          { name: 'web', port: 80, targetPort: 9090, protocol: 'TCP', appProtocol: 'http', nodePort: 30_000 },
        ],
      },
    );
    expect(JSON.parse(JSON.stringify(service))).toEqual({
      cluster: '',
      uid: 'x',
      namespace: 'monitoring',
      name: 'prometheus',
      labels: { app: 'prometheus' },
      annotations: { note: 'two\nlines' },
      selector: { app: 'p' },
      ports: [{ name: 'web', port: 80, targetPort: 9090, protocol: 'TCP', appProtocol: 'http' }],
      type: 'NodePort',
      headless: false,
      clusterIPs: ['10.0.0.1'],
    });
  });

  test('fills in the defaults of Kubernetes', () => {
    const bare = serviceFromObject({ metadata: { name: 'a' } }, 'team');
    expect(bare).toMatchObject({ namespace: 'team', ports: [], type: 'ClusterIP', headless: false });
    for (const empty of [
      { name: '', targetPort: '', appProtocol: '' },
      { name: 7, targetPort: {}, appProtocol: 7 },
    ])
      expect(taken({}, { ports: [{ port: 80, ...empty }] }).ports).toEqual([{ port: 80, protocol: 'TCP' }]);
  });

  test.each([9090, 'web'])('the target port %j is kept', (targetPort) => {
    expect(taken({}, { ports: [{ port: 80, targetPort }] }).ports[0]?.targetPort).toBe(targetPort);
  });

  test.each([
    ['None', true],
    ['', false],
    ['10.0.0.1', false],
    [undefined, false],
  ])('clusterIP %j: headless %j', (clusterIP, headless) => {
    expect(taken({}, { clusterIP }).headless).toBe(headless);
  });

  test.each([
    [{ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'] }, ['10.0.0.1', 'fd00::1']],
    [{ clusterIP: '10.0.0.1' }, ['10.0.0.1']],
    [{ clusterIP: 'None', clusterIPs: ['None'] }, undefined],
    [{ clusterIPs: 'x' }, undefined],
    [{ clusterIP: 7, clusterIPs: ['a.b', {}, '10.0.0.1'] }, undefined],
  ])('cluster IPs of %j: %j', (spec, ips) => {
    expect(taken({}, spec).clusterIPs).toEqual(ips);
  });

  test('numbers and booleans of hand-written YAML become strings', () => {
    const labels = {
      version: 1.5,
      enabled: true,
      disabled: false,
      zero: 0,
      text: 'x',
      nothing: null,
      list: ['x'],
    };
    expect({ ...taken({ labels }).labels }).toEqual({
      version: '1.5',
      enabled: 'true',
      disabled: 'false',
      zero: '0',
      text: 'x',
    });
  });

  test.each(['labels', 'annotations'])('%s that are not a mapping count as none', (field) => {
    for (const value of [null, 'text', ['a'], 7])
      expect(taken({ [field]: value })).toMatchObject({ [field]: {} });
  });

  test.each(['__proto__', 'constructor'])('a label %s is like any other', (key) => {
    const { labels } = taken({ labels: JSON.parse(`{ ${JSON.stringify(key)}: "x" }`) });
    expect(Object.keys(labels)).toEqual([key]);
    expect(labels[key]).toBe('x');
    expect(labels.toString).toBeUndefined();
  });

  test.each(['a', '0', 'a-b', 'a'.repeat(63)])('the name %j', (name) => {
    expect(taken({ name }).name).toBe(name);
    expect(taken({ namespace: name }).namespace).toBe(name);
  });

  test.each([
    '',
    'A',
    'a.b',
    'a_b',
    '-a',
    'a-',
    'a b',
    'a/../b',
    'a\n',
    'é',
    'a'.repeat(64),
    7,
    null,
    ['a'],
    {},
  ])('the name %j is rejected, and shown', (name) => {
    expect(refused({ name })).toContain(JSON.stringify(name));
    expect(refused({ namespace: name })).toContain(JSON.stringify(name));
  });

  test('a missing name is reported', () => {
    expect(refused({ name: undefined })).toMatch(/name.*missing/);
    expect(serviceFromObject({}, 'default')).toMatch(/name.*missing/);
  });

  test.each([1, 80, 65_535])('the port %i', (port) => {
    expect(taken({}, { ports: [{ port }] }).ports).toEqual([{ port, protocol: 'TCP' }]);
  });

  test.each<[string, unknown]>([
    ['zero', { port: 0 }],
    ['over the last', { port: 65_536 }],
    ['negative', { port: -80 }],
    ['a fraction', { port: 80.5 }],
    ['a text', { port: '80' }],
    ['missing', { name: 'web' }],
    ['not a number', { port: Number.NaN }],
    ['another protocol', { port: 80, protocol: 'QUIC' }],
    ['a protocol that is no text', { port: 80, protocol: 6 }],
    ['a bare number', 80],
    ['nothing', null],
    ['a list', [80]],
  ])('a port that is %s is rejected, with its place', (_, port) => {
    expect(refused({}, { ports: [{ port: 1 }, port] })).toContain('spec.ports[1]');
  });

  test('a huge hostile port does not make a huge message', () => {
    expect(refused({}, { ports: [{ port: 'x'.repeat(100_000) }] }).length).toBeLessThan(300);
  });

  test.each(['UDP', 'SCTP'])('a port of %s is kept', (protocol) => {
    expect(taken({}, { ports: [{ port: 53, protocol }] }).ports).toEqual([{ port: 53, protocol }]);
  });

  test('ports that are not a list count as none', () => {
    for (const ports of [null, undefined, {}, 'x']) expect(taken({}, { ports }).ports).toEqual([]);
  });
});

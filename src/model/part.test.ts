import { describe, expect, test } from 'vitest';
import { backendKey } from './backend-key.ts';
import { credentialsByBackend } from './credentials.ts';
import { partsOf } from './key.ts';
import { addressedService } from './overrides.ts';
import { isPart, isServiceName, objectName, objectOf, partName, partPort } from './part.ts';
import { defaultName, serviceKey, toolKey } from './service.ts';

test('a part has the name of its Service and the number of its port', () => {
  const name = partName({ name: 'lgtm' }, 3100);
  expect([name, isPart({ name }), objectName({ name }), partPort({ name })]).toEqual([
    'lgtm:3100',
    true,
    'lgtm',
    3100,
  ]);
  const part = { cluster: '', namespace: 'shop', name };
  expect(objectOf(part)).toEqual({ ...part, name: 'lgtm' });
  expect(partsOf(serviceKey(part))).toMatchObject(part);
  expect([defaultName(part), toolKey(part)]).toEqual(['lgtm_3100.shop', 'shop/lgtm:3100']);
});

test('a whole Service is itself', () => {
  const whole = { name: 'lgtm' };
  expect([isPart(whole), objectName(whole), partPort(whole)]).toEqual([false, 'lgtm', undefined]);
  expect(objectOf(whole)).toBe(whole);
});

test.each(['lgtm', 'a', 'a-1'])('%s is the name of a Service', (name) => {
  expect(isServiceName(name)).toBe(true);
});

test.each(['', '-a', 'A', 'a.b', ':80', 'a:80.b', `${'a'.repeat(64)}:80`, 80])('%s is none', (name) => {
  expect(isServiceName(name)).toBe(false);
});

const PORTS: readonly (readonly [port: string, isPort: boolean])[] = [
  ...['1', '9', '80', '3100', '9999', '10000', '59999', '65535'].map((port) => [port, true] as const),
  ...[
    '',
    '0',
    '080',
    '65536',
    '65540',
    '65600',
    '66000',
    '70000',
    '100000',
    '-1',
    '3100x',
    'http',
    '3100:1',
    '1_0',
  ].map((port) => [port, false] as const),
];

describe.each(PORTS)('port "%s" (%s)', (port, isPort) => {
  test('in the name of a Service', () => {
    expect(isServiceName(`lgtm:${port}`)).toBe(isPort);
  });

  test('in overrides', () => {
    const key = `shop/lgtm:${port}`;
    const part = isPort ? { cluster: '', namespace: 'shop', name: `lgtm:${port}` } : undefined;
    expect(addressedService(key)).toEqual(part);
    expect(addressedService(`lgtm_${port}.shop`)).toEqual(part);
  });

  test('in credentials, tenants and certificates', () => {
    expect(backendKey.safeParse(`shop/lgtm:${port}`).success).toBe(isPort);
    const credentials = { [`shop/lgtm:${port}`]: { bearerToken: 'TOKEN' } };
    expect(credentialsByBackend.safeParse(credentials).success).toBe(isPort);
  });
});

import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { certificateKeyOf, certificatesByBackend, isOwnAddress } from './certificates.ts';

const CA = { caFile: '/ca.pem' };
const CLIENT = { clientCertificateFile: '/tls.crt', clientKeyFile: '/tls.key' };

describe('the setting', () => {
  test.each<[string, unknown, boolean]>([
    ['a CA of a type', { loki: CA }, true],
    ['a CA and a client certificate of a Service', { 'monitoring/loki': { ...CA, ...CLIENT } }, true],
    ['only a client certificate, of a namespace', { 'monitoring/*': CLIENT }, true],
    ['nothing', {}, true],
    ['as many as allowed', Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a/b${n}`, CA])), true],
    ['too many', Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a/b${n}`, CA])), false],
    ['no file', { loki: {} }, false],
    ['an empty path', { loki: { caFile: '' } }, false],
    ['a client certificate of a type', { loki: CLIENT }, false],
    ['a certificate without its key', { 'a/b': { clientCertificateFile: '/tls.crt' } }, false],
    ['a key without its certificate', { 'a/b': { clientKeyFile: '/tls.key' } }, false],
    ['any namespace', { '*/loki': CA }, false],
    ['an unknown field', { loki: { ...CA, insecure: true } }, false],
    ['a NUL', { loki: { caFile: '/a\0b' } }, false],
  ])('%s', (_, certificates, valid) => {
    expect(certificatesByBackend.safeParse(certificates).success).toBe(valid);
  });

  test('who writes a key instead of its path is told so, and the key is not repeated', () => {
    const key = '-----BEGIN PRIVATE KEY----- c3dvcmRmaXNo';
    const { error } = certificatesByBackend.safeParse({ 'a/b': { ...CLIENT, clientKeyFile: key } });
    expect(error?.message).toContain('mount the file, and write where it is');
    expect(error?.message).not.toContain('c3dvcmRmaXNo');
  });

  test('a client certificate of a type says what to write instead', () => {
    const { error } = certificatesByBackend.safeParse({ loki: CLIENT });
    expect(error?.issues).toMatchObject([
      {
        path: ['loki', 'clientCertificateFile'],
        message: expect.stringContaining('under NAMESPACE/SERVICE'),
      },
    ]);
  });
});

const loki = candidate(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));

test('the most specific key counts', () => {
  const all = { loki: CA, 'monitoring/*': CA, 'monitoring/loki': CA };
  expect(certificateKeyOf(all, loki)).toBe('monitoring/loki');
  expect(certificateKeyOf({ loki: CA, 'monitoring/*': CA }, loki)).toBe('monitoring/*');
  expect(certificateKeyOf({ loki: CA, 'shop/*': CA, 'shop/loki': CA }, loki)).toBe('loki');
  expect(certificateKeyOf({ tempo: CA }, loki)).toBeUndefined();
  expect(certificateKeyOf({}, { ...loki, detector: 'constructor' })).toBeUndefined();
});

test('names that an owner chooses count for nothing', () => {
  const disguised = { ...loki, tool: 'grafana.shop', displayName: 'shop/grafana', type: 'grafana' };
  expect(certificateKeyOf({ 'shop/grafana': CA, 'shop/*': CA, grafana: CA }, disguised)).toBeUndefined();
});

test('in another cluster only the type counts, because a namespace there may be of somebody else', () => {
  const far = { ...loki, service: { ...loki.service, cluster: 'east' } };
  expect(certificateKeyOf({ 'monitoring/loki': CA, 'monitoring/*': CA }, far)).toBeUndefined();
  expect(certificateKeyOf({ loki: CA, 'monitoring/loki': CA }, far)).toBe('loki');
});

describe('the address of a Service itself', () => {
  const at = (host: string, more: object = {}) =>
    isOwnAddress(
      { service: { ...loki.service, ...more }, endpoint: { ...loki.endpoint, host } },
      'cluster.local',
    );
  test.each<[string, boolean]>([
    ['loki.monitoring.svc.cluster.local', true],
    ['loki.shop.svc.cluster.local', false],
    ['loki.monitoring.svc.evil.example', false],
    ['evil.example', false],
    ['10.0.0.1', false],
  ])('%s: %s', (host, own) => {
    expect(at(host)).toBe(own);
  });

  test('is that of its parts', () => {
    expect(at(loki.endpoint.host, { name: 'loki:9090' })).toBe(true);
  });

  test('is none of an ExternalName, or in another cluster', () => {
    const { host } = loki.endpoint;
    expect(at(host)).toBe(true);
    expect(at(host, { type: 'ExternalName' })).toBe(false);
    expect(at(host, { cluster: 'east' })).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { rules } from '../../test/fixtures/unit/detection.ts';
import { type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { Detector } from '../model/detector.ts';
import type { ServicePort } from '../model/service.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { choosePort, chooseScheme } from './port.ts';

const detectorWith = (ports: object, fromAnnotations: object = {}): Detector =>
  detectorSchema.parse({
    type: 'example',
    title: 'Example',
    description: 'An example',
    ports,
    fromAnnotations,
  });

const chosen = (
  ports: NonNullable<ServiceFields['ports']>,
  detector: Detector,
  { lenient = false, headless = false, annotations = {} } = {},
): number | undefined =>
  choosePort(service('example', { ports, headless, annotations }), detector, rules.vocabulary, lenient)?.port;

describe('choosePort', () => {
  const detector = detectorWith({ names: ['http-web', 'web*'], numbers: [9090, 80] });

  test.each<[string, NonNullable<ServiceFields['ports']>, number | undefined]>([
    ['number and name of one port, before a better number', ['grpc:9090', 'web:80'], 80],
    ['the number that is first in the detector', ['a:80', 'b:9090'], 9090],
    ['a number before a name', ['web:1234', 'grpc:80'], 80],
    ['the name that is first in the detector', ['web:1', 'http-web:2'], 2],
    ['a name by its pattern', ['grpc:1', 'web-ui:2'], 2],
    ['the first of two that are as good', ['web-b:1', 'web-a:2'], 1],
    [
      'the number that it leads to',
      [
        { name: 'a', port: 1 },
        { name: 'b', port: 2, targetPort: 9090 },
      ],
      2,
    ],
    [
      'the name of the port that it leads to',
      [
        { name: 'a', port: 1, targetPort: 'grpc' },
        { name: 'b', port: 2, targetPort: 'http-web' },
      ],
      2,
    ],
    ['UDP never', [{ name: 'web', port: 9090, protocol: 'UDP' }, 'grpc:1', 'other:2'], undefined],
    ['none that fits', ['grpc:1', 'other:2'], undefined],
    ['a single one that does not fit', ['http:1234'], undefined],
    ['no ports', [], undefined],
  ])('%s', (_, ports, port) => {
    expect(chosen(ports, detector)).toBe(port);
  });

  test.each<[string, NonNullable<ServiceFields['ports']>, number | undefined]>([
    ['the only port with a name of any web server', ['http:1234'], 1234],
    ['the only port without a name', [1234], 1234],
    ['the only port with an unknown name', ['gossip:1234'], undefined],
    ['two ports with such names', ['http:1234', 'api:1235'], undefined],
    ['the only TCP port next to a UDP port', ['http:1234', { name: 'dns', port: 53, protocol: 'UDP' }], 1234],
  ])('if the product is certain: %s', (_, ports, port) => {
    expect(chosen(ports, detector, { lenient: true })).toBe(port);
  });

  test('of its number and its target port, the better one is used', () => {
    const three = detectorWith({ numbers: [9090, 8080, 80] });
    expect(chosen(['a:8080', { name: 'b', port: 80, targetPort: 9090 }], three)).toBe(80);
    expect(chosen(['a:8080', { name: 'b', port: 9090, targetPort: 80 }], three)).toBe(9090);
  });

  test('a detector can accept the only port with any name, but never one of several', () => {
    const any = detectorWith({ any: true });
    expect(chosen(['odd:1234'], any)).toBe(1234);
    expect(chosen(['odd:1234', 'http:80'], any)).toBeUndefined();
  });

  test.each<[string, ServicePort['targetPort'], boolean, number]>([
    ['headless, where Pods answer themselves', 3200, true, 3200],
    ['behind a cluster IP', 3200, false, 80],
    ['headless with a named target', 'web', true, 80],
    ['headless without a target', undefined, true, 80],
  ])('the port that is used: %s', (_, targetPort, headless, port) => {
    const ports = [{ name: 'web', port: 80, ...(targetPort === undefined ? {} : { targetPort }) }];
    expect(chosen(ports, detector, { headless })).toBe(port);
  });
});

describe('the named port', () => {
  const detector = detectorWith(
    { names: ['web'], numbers: [9090], appProtocols: ['mcp', 'example.com/mcp*'] },
    { port: 'example.com/port' },
  );
  const ports = ['web:9090', 'grpc:1', 'other:2', { name: 'dns', port: 53, protocol: 'UDP' as const }];
  const spoken = [...ports, { name: 'tools', port: 3, appProtocol: 'example.com/mcp-sse' }];

  test.each<[string, NonNullable<ServiceFields['ports']>, string | undefined, number]>([
    ['by number in an annotation', ports, '2', 2],
    ['by name in an annotation', ports, 'grpc', 1],
    ['in an annotation, and not there', ports, '7', 9090],
    ['in an annotation, and not TCP', ports, 'dns', 9090],
    ['nowhere', ports, undefined, 9090],
    ['by its appProtocol', spoken, undefined, 3],
    ['in an annotation before its appProtocol', spoken, 'grpc', 1],
    ['by an appProtocol of another protocol', [...ports, { port: 3, appProtocol: 'grpc' }], undefined, 9090],
  ])('%s', (_, given, said, port) => {
    const annotations = said === undefined ? {} : { 'example.com/port': said };
    expect(chosen(given, detector, { annotations })).toBe(port);
  });

  test('is shown with its name and target', () => {
    const detail = (port: Partial<ServicePort>): string | undefined =>
      choosePort(service('x', { ports: [{ port: 9090, ...port }] }), detector, rules.vocabulary, false)
        ?.detail;
    expect(detail({ name: 'web' })).toMatch(/9090.*web$/);
    expect(detail({ name: 'web', targetPort: 'http' })).toMatch(/9090.*web.*http/);
    expect(detail({ targetPort: 8080 })).toMatch(/9090.*8080/);
    expect(detail({ targetPort: 9090 })?.match(/9090/g)).toHaveLength(1);
  });
});

describe('chooseScheme', () => {
  const serving = { 'service.beta.openshift.io/serving-cert-secret-name': 'tls' };
  const alpha = { 'service.alpha.openshift.io/serving-cert-secret-name': 'tls' };

  test.each<[string, Partial<ServicePort>, Record<string, string>, 'http' | 'https']>([
    ['nothing said', {}, {}, 'http'],
    ['appProtocol https', { appProtocol: 'https' }, {}, 'https'],
    ['appProtocol HTTPS', { appProtocol: 'HTTPS' }, {}, 'https'],
    ['appProtocol tls', { appProtocol: 'tls' }, {}, 'https'],
    [
      'appProtocol http before all that speaks for TLS',
      { appProtocol: 'http', name: 'https', port: 443 },
      serving,
      'http',
    ],
    ['name https', { name: 'https' }, {}, 'https'],
    ['name web-tls', { name: 'web-tls' }, {}, 'https'],
    ['name ssl-web', { name: 'ssl-web' }, {}, 'https'],
    ['name httpsy', { name: 'httpsy' }, {}, 'http'],
    ['name atlas', { name: 'atlas' }, {}, 'http'],
    ['name of the target', { name: 'web', targetPort: 'https' }, {}, 'https'],
    ['name http on 443', { name: 'http', port: 443 }, {}, 'http'],
    ['name http-web with a serving certificate', { name: 'http-web' }, serving, 'http'],
    ['serving certificate', { name: 'web' }, serving, 'https'],
    ['serving certificate, the older annotation', { name: 'web' }, alpha, 'https'],
    ['an annotation that only looks like it', { name: 'web' }, { 'serving-cert-secret-name': 'tls' }, 'http'],
    ['port 443', { port: 443 }, {}, 'https'],
    ['port 8443', { port: 8443 }, {}, 'https'],
  ])('%s', (_, port, annotations, scheme) => {
    const choice = chooseScheme(service('example', { annotations }), {
      port: 9090,
      protocol: 'TCP',
      ...port,
    });
    expect(choice.scheme).toBe(scheme);
    if (scheme === 'https') expect(choice.detail).toBeTruthy();
  });
});

import { expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { endpointUrl } from '../model/discovery.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { externalBackend } from './external-backend.ts';

/** What it is, and its URL, if that is valid in `overrides.yaml`. */
function external(product: string, ports: readonly string[], externalName = 'x.example.com') {
  const labels = { 'app.kubernetes.io/name': product };
  const one = { ...service('x', { labels, ports: [...ports] }), type: 'ExternalName', externalName };
  const found = externalBackend(one, rules, options);
  if (found === undefined) return undefined;
  const url = endpointUrl(found.endpoint);
  const read = readOverrides(`tools: {monitoring/x: {type: ${found.type}, endpoint: "${url}"}}`);
  expect(read).toHaveProperty('value');
  return [found.type, url];
}

test.each([
  ['its port', 'loki', ['http:3100'], ['loki', 'http://x.example.com:3100']],
  ['its scheme', 'grafana', ['https:443'], ['grafana', 'https://x.example.com:443']],
  ['another protocol', 'kafka', ['tcp:9092'], ['kafka', 'tcp://x.example.com:9092']],
  ['no ports', 'kafka', [], ['kafka', 'tcp://x.example.com:9092']],
  ['a path', 'mimir', ['http:8080'], ['mimir', 'http://x.example.com:8080/prometheus']],
  ['nothing that is known', 'shop', ['http:80'], undefined],
])('an ExternalName leads to its product: %s', (_, product, ports, expected) => {
  expect(external(product, ports)).toEqual(expected);
});

test('a name may end in a dot, and a Service of another type leads nowhere else', () => {
  expect(external('loki', ['http:3100'], 'x.example.com.')?.[1]).toBe('http://x.example.com:3100');
  expect(externalBackend(service('loki', { ports: ['http:3100'] }), rules, options)).toBeUndefined();
});

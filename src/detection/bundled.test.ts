import { describe, expect, test } from 'vitest';
import { detected, discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { preferred } from '../planning/preferred.ts';
import { discoveredTool } from '../planning/tools.ts';

const prometheus = (name: string, fields: Parameters<typeof service>[1] = {}) =>
  service(name, { labels: { app: 'prometheus' }, ports: ['web:9090'], ...fields });

describe('the product that brings a backend for itself', () => {
  test.each<[string, ReturnType<typeof service>, string | undefined]>([
    ['by its name', prometheus('kubecost-prometheus-server'), 'Kubecost'],
    ['by its namespace', prometheus('prometheus', { namespace: 'linkerd-viz' }), 'Linkerd Viz'],
    [
      'by its release',
      prometheus('metrics', { labels: { app: 'prometheus', release: 'my-coroot' } }),
      'Coroot',
    ],
    [
      'by what it is part of',
      prometheus('metrics', { labels: { app: 'prometheus', 'app.kubernetes.io/part-of': 'argo-rollouts' } }),
      'Argo Rollouts',
    ],
    ['a platform with its own metrics', prometheus('prometheus', { namespace: 'openfaas' }), 'OpenFaaS'],
    ['none', prometheus('prometheus'), undefined],
    ['none for a part of a word', prometheus('prometheus', { namespace: 'kubecosts' }), undefined],
    ['none for words in another order', prometheus('prometheus', { namespace: 'viz-linkerd' }), undefined],
    [
      'none if it is that product itself',
      service('signoz', { labels: { 'app.kubernetes.io/name': 'signoz' }, ports: ['http:8080'] }),
      undefined,
    ],
  ])('%s', (_, one, product) => {
    const [candidate] = detected(one).candidates;
    expect(candidate?.bundledWith).toBe(product);
    expect(candidate?.description.endsWith(`; bundled with ${product}`)).toBe(product !== undefined);
    expect(candidate?.evidence.some(({ detail }) => detail.startsWith('bundled with '))).toBe(
      product !== undefined,
    );
  });
});

test('such a backend comes after others, unless a person named it', () => {
  const tools = [
    { ...discovered(prometheus('kubecost-prometheus-server', { namespace: 'a' })), created: '2020' },
    discovered(prometheus('prometheus', { namespace: 'b' })),
  ].map(discoveredTool);
  const order = (named?: string) =>
    preferred(
      tools.map((tool) => ({ tool })),
      { namespaces: ['a', 'b'], naming: ({ key }) => (key === named ? 'service' : undefined) },
    ).map(({ tool }) => tool.key);
  expect(order()).toEqual(['b/prometheus', 'a/kubecost-prometheus-server']);
  expect(order('a/kubecost-prometheus-server')).toEqual(['a/kubecost-prometheus-server', 'b/prometheus']);
});

test('its published metadata name the product', () => {
  const { metadata } = discoveredTool(discovered(prometheus('kubecost-prometheus-server')));
  expect(metadata).toMatchObject({ bundledWith: 'Kubecost' });
});

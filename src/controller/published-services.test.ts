/** What is behind the tools of an earlier revision. */
import { describe, expect, test } from 'vitest';
import { rules } from '../../test/fixtures/unit/detection.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { toolKinds } from './pass.ts';
import { behind } from './published-services.ts';

const KINDS = toolKinds(rules);
/** A published tool of the Service `a`. */
const tool = ({ metadata = {}, ...more }: Partial<PublishedTool> = {}): PublishedTool => ({
  ...{ name: 'a.monitoring', type: 'loki', description: 'Logs.', namespace: 'monitoring' },
  endpoint: 'http://a.monitoring.svc.cluster.local:3100',
  ...more,
  metadata: { service: 'a', certainty: 'label', ...metadata },
});
const behindOf = (published: PublishedTool, overrides?: string) => {
  const { services, own } = behind({ tools: [published], overrides }, KINDS);
  const [found] = services;
  return { found, own: own.map(({ name }) => name) };
};

describe('the kind of a backend', () => {
  const RETYPED =
    'tools: { monitoring/a: { type: loki }, mine: { type: custom, endpoint: "http://x:80", description: x } }';
  test.each<[string, PublishedTool, string | undefined, string, boolean | undefined]>([
    ['a known type', tool(), undefined, 'loki', false],
    ['a type that is unknown here', tool({ type: 'orders' }), undefined, 'orders', false],
    [
      "a type of the owner's annotation",
      tool({ type: 'orders', metadata: { certainty: 'annotation' } }),
      undefined,
      'custom',
      false,
    ],
    [
      "a known type of the owner's annotation",
      tool({ metadata: { certainty: 'annotation' } }),
      undefined,
      'loki',
      false,
    ],
    [
      'the same, and overrides of others',
      tool({ metadata: { certainty: 'annotation' } }),
      'tools: { monitoring/a: { enabled: true } }',
      'loki',
      false,
    ],
    [
      'the same, which overrides gave it',
      tool({ metadata: { certainty: 'annotation' } }),
      RETYPED,
      'custom',
      undefined,
    ],
    ['a known type, which overrides gave it', tool(), RETYPED, 'loki', false],
    [
      'an MCP server, whatever its type',
      tool({ metadata: { hosts: 'a.monitoring.svc' } }),
      undefined,
      'loki',
      true,
    ],
  ])('is that of %s', (_, published, overrides, detector, mcp) => {
    const { found } = behindOf(published, overrides);
    expect([found?.detector, found?.mcp ?? false]).toEqual([detector, mcp ?? false]);
  });

  test('is known while overrides are invalid', () => {
    expect(behindOf(tool(), 'tools: [').found?.detector).toBe('loki');
  });
});

test('nothing is known of a tool whose endpoint is no URL', () => {
  expect(behindOf(tool({ endpoint: 'nowhere' }))).toEqual({ found: undefined, own: [] });
});

describe('the namespace of its Service', () => {
  const there = (more: Partial<PublishedTool>): string | undefined =>
    behindOf(tool({ namespace: 'shown', ...more })).found?.service.namespace;
  test.each<[string, Partial<PublishedTool>, string]>([
    ['that of its endpoint, if this has its name', {}, 'monitoring'],
    ['the published one, if the endpoint leads elsewhere', { endpoint: 'http://b.other.svc:80' }, 'shown'],
    ['the published one in another cluster', { cluster: 'far' }, 'shown'],
    [
      'that of its own host, for an MCP server',
      { metadata: { hosts: 'a.own.svc.cluster.local,b.other.svc.cluster.local' } },
      'own',
    ],
  ])('is %s', (_, more, namespace) => {
    expect(there(more)).toBe(namespace);
  });
});

describe('where a backend leads', () => {
  const leads = (more: Partial<PublishedTool>) => {
    const { found } = behindOf(tool(more));
    return [found?.sharesPods, found?.targets];
  };

  test('is shown by its hosts and its endpoint', () => {
    const hosts = ['a', 'b', 'known'].map((name) => `${name}.monitoring.svc.cluster.local`);
    const elsewhere = ['x.other.svc.cluster.local', 'mcp.example.com'];
    expect(leads({ metadata: { hosts: [...hosts, ...elsewhere].join(), alternates: 'known' } })).toEqual([
      ['b'],
      elsewhere,
    ]);
    expect(leads({ endpoint: 'http://logs.example.com:80' })).toEqual([[], ['logs.example.com']]);
    expect(leads({ endpoint: 'http://b.monitoring.svc:80' })).toEqual([['b'], []]);
    expect(leads({ metadata: { hosts: '' } })).toEqual([[], []]);
  });

  test('is unknown in another cluster', () => {
    expect(leads({ cluster: 'far' })).toEqual([undefined, undefined]);
  });
});

test("users' own tools have no Service", () => {
  const { service: _, ...metadata } = tool().metadata;
  expect(behindOf({ ...tool({ name: 'mine' }), metadata })).toEqual({ found: undefined, own: ['mine'] });
  const overrides = 'tools: { monitoring/a: { type: loki, endpoint: "http://x:80", description: x } }';
  expect(behindOf(tool(), overrides)).toEqual({ found: undefined, own: ['a.monitoring'] });
});

test('a part of a Service is at the host of the Service', () => {
  const endpoint = 'http://a.shop.svc.cluster.local:3100';
  const { found } = behindOf(tool({ endpoint, metadata: { service: 'a:3100' } }));
  expect(found?.service).toMatchObject({ namespace: 'shop', name: 'a:3100' });
  expect([found?.sharesPods, found?.targets]).toEqual([[], []]);
});

import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { serviceKey } from '../model/service.ts';
import { publishedTool } from './published-tool.ts';
import { publishedTypes } from './published-types.ts';
import { discoveredTool } from './tools.ts';

const LOKI = discoveredTool(discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })));

describe('a published tool', () => {
  test('has its name, type, URL, description and metadata', () => {
    expect(publishedTool(LOKI)).toEqual({
      name: 'loki.monitoring',
      type: 'loki',
      endpoint: 'http://loki.monitoring.svc.cluster.local:3100',
      description: LOKI.description,
      namespace: 'monitoring',
      metadata: { service: 'loki', certainty: 'label' },
    });
  });

  test('names its cluster unless it is the home cluster, and its namespace if it has one', () => {
    expect(publishedTool({ ...LOKI, cluster: 'east' })).toMatchObject({ cluster: 'east' });
    expect(publishedTool({ ...LOKI, namespace: undefined })).not.toHaveProperty('namespace');
  });
});

describe('the types under which Services are published', () => {
  const tool = (fields: Partial<PublishedTool> = {}): PublishedTool => ({
    ...publishedTool(LOKI),
    ...fields,
  });
  const typesOf = (...tools: PublishedTool[]) => Object.fromEntries(publishedTypes(tools));
  const key = (text: string): string => String(keyFor(text));

  test('are those of their tools, for all Services of a backend', () => {
    const metadata = { service: 'loki', alternates: 'loki-read,loki-write' };
    expect(typesOf(tool({ metadata }))).toEqual({
      [key('monitoring/loki')]: 'loki',
      [key('monitoring/loki-read')]: 'loki',
      [key('monitoring/loki-write')]: 'loki',
    });
    expect(typesOf(tool({ metadata: { service: 'loki', alternates: '' } }))).toEqual({
      [key('monitoring/loki')]: 'loki',
    });
  });

  test('a custom tool comes before one that only uses the same Service, and the first of them before others', () => {
    const other = (service_: string, type: string, alternates: string): PublishedTool =>
      tool({ type, metadata: { service: service_, alternates } });
    for (const [own, beside] of [
      [other('a', 'loki', ''), other('b', 'tempo', 'a')],
      [other('b', 'tempo', 'a'), other('a', 'loki', '')],
    ] as const)
      expect(typesOf(own, beside)[key('monitoring/a')]).toBe('loki');
    expect(typesOf(other('b', 'tempo', 'x'), other('c', 'mimir', 'x'))[key('monitoring/x')]).toBe('tempo');
  });

  test.each([
    ['without a Service', { namespace: 'apps', metadata: {} }],
    ['without a namespace', { namespace: undefined, metadata: { service: 'loki' } }],
  ])('of a tool %s follow from its name: it is an operator’s, and comes before all others', (_, fields) => {
    const { namespace: __, ...rest } = tool();
    const own: PublishedTool = {
      ...rest,
      name: 'loki.monitoring',
      type: 'mimir',
      metadata: fields.metadata,
      ...(fields.namespace === undefined ? {} : { namespace: fields.namespace }),
    };
    for (const tools of [
      [own, tool()],
      [tool(), own],
    ])
      expect(typesOf(...tools)).toEqual({ [key('monitoring/loki')]: 'mimir' });
    expect(typesOf({ ...own, name: 'mine' })).toEqual({});
  });

  test("are those of a tool's own cluster", () => {
    const east = serviceKey({ cluster: 'east', namespace: 'monitoring', name: 'loki' });
    expect(typesOf(tool({ cluster: 'east' }))).toEqual({ [String(east)]: 'loki' });
  });

  test('a tool without a type has none', () => {
    expect(typesOf(tool({ type: '' }))).toEqual({});
  });
});

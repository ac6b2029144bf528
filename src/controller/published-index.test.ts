import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { PublishedIndex } from './published-index.ts';

/** A published tool; without a Service, it has a URL from overrides. */
const tool = (name: string, of?: string): PublishedTool => ({
  ...{ name, type: 'loki', endpoint: 'http://x', description: 'x', namespace: 'monitoring' },
  metadata: of === undefined ? {} : { service: of },
});
/** A backend with these Services, the entry point first; they are older from left to right. */
const backend = (name: string, others: readonly string[] = [], toolName?: string): DiscoveredService => {
  const found = discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }));
  return {
    ...found,
    tool: toolName ?? found.tool,
    alternates: others,
    members: [name, ...others].toReversed().map((each) => ({ name: each, roles: [] })),
  };
};
/** The names of the published tools of backends, and of those of no backend. */
const taken = (tools: readonly PublishedTool[], ...backends: readonly DiscoveredService[]) => {
  const index = new PublishedIndex(tools);
  const names = backends.map((each) => index.take(each).published?.name);
  return { names, rest: index.rest.map(({ name }) => name) };
};

describe('the tool of a backend', () => {
  test.each<[string, readonly PublishedTool[], DiscoveredService, string]>([
    ['names its entry point', [tool('x', 'b'), tool('y', 'a')], backend('a', ['b']), 'y'],
    ['names another of its Services', [tool('x', 'b')], backend('a', ['b']), 'x'],
    ['has its name', [tool('logs')], backend('a', [], 'logs'), 'logs'],
    [
      'has the usual name of its entry point',
      [tool('a.monitoring')],
      backend('a', [], 'logs'),
      'a.monitoring',
    ],
    [
      'has that of another of its Services',
      [tool('b.monitoring')],
      backend('a', ['b'], 'logs'),
      'b.monitoring',
    ],
  ])('is one that %s', (_, tools, found, name) => {
    expect(taken([...tools, tool('other', 'other')], found)).toEqual({
      names: [name],
      rest: [...tools, tool('other')].map((each) => each.name).filter((each) => each !== name),
    });
  });

  test('belongs to no other backend', () => {
    expect(taken([tool('x', 'b')], backend('a', ['b']), backend('c', ['b']))).toEqual({
      names: ['x', undefined],
      rest: [],
    });
    expect(taken([tool('logs')], backend('a', [], 'logs'), backend('b', [], 'logs')).names).toEqual([
      ...['logs', undefined],
    ]);
  });

  test('of a backend that is not found any more is one that names its Services', () => {
    const index = new PublishedIndex([tool('x', 'b'), tool('y', 'c')]);
    const gone = backend('a', ['b']);
    expect(index.takeOf(gone, gone.members ?? [])?.name).toBe('x');
    expect(index.rest.map(({ name }) => name)).toEqual(['y']);
    expect(index.takeOf(gone, gone.members ?? [])).toBeUndefined();
  });
});

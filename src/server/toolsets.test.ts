import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import { idsOf } from '../controller/backend-ids.ts';
import { ReadModel } from '../controller/read-model.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { Toolsets } from './toolsets.ts';

const tool = (name: string) => ({ name, type: 'loki', endpoint: 'http://x' });
const published = (...tools: object[]) =>
  observed({ data: { 'toolset.json': JSON.stringify({ tools }) }, labels: {}, annotations: {} });

test('tools are computed once per state of the read model, and not per request', () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  readModel.apply({ kind: 'observed', live: published(tool('b'), tool('a')) });
  const toolsets = new Toolsets(readModel);
  const a = toolsets.named('a');
  expect(a).toMatchObject({ name: 'a', published: true, backend: null, conditions: [] });
  expect(toolsets.all().map(({ name }) => name)).toEqual(['a', 'b']);
  expect(toolsets.named('c')).toBeUndefined();
  expect(toolsets.named('a')).toBe(a);
  readModel.apply({ kind: 'observed', live: published(tool('c')) });
  expect(toolsets.named('c')).toMatchObject({ name: 'c' });
  expect(toolsets.named('a')).toBeUndefined();
});

test('a tool has the id and the conditions of its backend; without a backend, only published fields', () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const toolsets = new Toolsets(readModel);
  const pass = (...services: DiscoveredService[]): void =>
    readModel.apply({
      ...{ kind: 'pass', services, ids: idsOf(services, new Map()), problems: [], cycle: 1 },
    } as never);
  pass(discovered(service('loki', { ports: ['http:3100'] })));
  const own = { ...tool('named'), namespace: 'monitoring', metadata: { service: 'loki' } };
  readModel.apply({ kind: 'observed', live: published(own) });
  expect(toolsets.named('named')).toMatchObject({
    backend: 'monitoring/loki',
    healthy: true,
    serviceEndpoint: 'http://x',
    discoveredAt: '1970-01-01T00:00:00.000Z',
  });
  expect(toolsets.named('named')?.conditions).toContainEqual({
    type: 'Published',
    status: 'True',
    reason: 'InToolset',
    message: 'it is in the published documents',
    lastTransitionTime: '1970-01-01T00:00:00.000Z',
  });
  pass();
  const gone = { published: true, backend: 'monitoring/loki', healthy: null, discoveredAt: null };
  expect(toolsets.named('named')).toMatchObject(gone);
});

test('each document of a tool is told apart, and only the leader knows them', () => {
  let leads = true;
  const readModel = new ReadModel({ now: () => new Date(0), leads: () => leads });
  const toolsets = new Toolsets(readModel);
  const documents = (): unknown[] => toolsets.all().map(({ name, documents: each }) => [name, each]);
  const services = [discovered(service('loki', { ports: ['http:3100'] }), 'auth')];
  const pass = (): void =>
    readModel.apply({
      ...{ kind: 'pass', services, ids: idsOf(services, new Map()), problems: [], cycle: 1 },
    } as never);
  pass();
  expect(documents()).toEqual([['loki.monitoring', {}]]);
  const tools = [
    { ...tool('loki.monitoring'), namespace: 'monitoring', metadata: { service: 'loki' } },
    tool('own'),
    tool('a.b'),
  ];
  const data = {
    'toolset.json': JSON.stringify({ tools }),
    'custom_toolset.yaml': 'toolsets: {}\n',
    'overrides.yaml': '',
  };
  readModel.apply({ kind: 'observed', live: observed({ data, labels: {}, annotations: {} }) });
  const scope = { cause: 'credentials', why: '', leftOutOf: 'custom_toolset.yaml', keptIn: 'toolset.json' };
  readModel.apply({
    kind: 'reconciled',
    ok: true,
    problems: [],
    omissions: [
      { key: 'monitoring/loki', tool: 'loki.monitoring', ...scope },
      { key: 'a-b', tool: 'a.b', ...scope },
    ],
  } as never);
  const inOne = { 'toolset.json': true, 'custom_toolset.yaml': false };
  expect(documents()).toEqual([
    ['a.b', inOne],
    ['loki.monitoring', inOne],
    ['own', { 'toolset.json': true, 'custom_toolset.yaml': true }],
  ]);
  leads = false;
  pass();
  expect(documents()).toEqual([
    ['a.b', null],
    ['loki.monitoring', null],
    ['own', null],
  ]);
});

test('while a rollback holds, the documents say what is published, also of another Service of a backend', () => {
  const leftOutOf = () => (each: PublishedTool) =>
    each.endpoint === 'http://y' ? [] : ['custom_toolset.yaml'];
  const readModel = new ReadModel({ now: () => new Date(0), outputs: { leftOutOf } });
  const toolsets = new Toolsets(readModel);
  const loki = discovered(service('loki', { ports: ['http:3100'] }));
  const services = [
    {
      ...loki,
      alternates: ['loki-gateway'],
      members: ['loki', 'loki-gateway'].map((name) => ({ name, roles: [] })),
    },
  ];
  const ids = idsOf(services, new Map());
  readModel.apply({ kind: 'pass', services, ids, problems: [], cycle: 1 } as never);
  const tools = [
    { ...tool('loki-gateway.monitoring'), namespace: 'monitoring', metadata: { service: 'loki-gateway' } },
    // It has the name that the backend's tool would have now, and is another one's.
    { ...tool('loki.monitoring'), endpoint: 'http://y', namespace: 'other', metadata: { service: 'loki' } },
  ];
  const rolledBack = { 'kubernaut.io/rolled-back-from': 'x', 'kubernaut.io/rolled-back-to': '3' };
  const data = {
    'toolset.json': JSON.stringify({ tools }),
    'custom_toolset.yaml': 'toolsets: {}\n',
  };
  readModel.apply({ kind: 'observed', live: observed({ data, labels: {}, annotations: rolledBack }) });
  const held = expect.objectContaining({ type: 'Published', status: 'False', reason: 'HeldByRollback' });
  expect(toolsets.all()).toMatchObject([
    {
      name: 'loki-gateway.monitoring',
      backend: 'monitoring/loki',
      published: true,
      documents: { 'toolset.json': true, 'custom_toolset.yaml': false },
      conditions: expect.arrayContaining([held]),
    },
    {
      name: 'loki.monitoring',
      backend: null,
      published: true,
      documents: { 'toolset.json': true, 'custom_toolset.yaml': true },
    },
  ]);
});

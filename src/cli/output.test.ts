import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { backendsOf } from '../../test/fixtures/unit/backends.ts';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { Problem } from '../model/discovery.ts';
import { FORMATS } from './choices.ts';
import { render, warn } from './output.ts';

const services = backendsOf([
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] })),
  discovered(
    service('loki', { namespace: 'a-much-longer-namespace', labels: { app: 'loki' }, ports: [3100] }),
    'auth',
  ),
  discovered(offered('shop', { name: 'Orders', description: 'All orders' }), 'unhealthy'),
  discovered(service('tempo', { labels: { app: 'tempo' }, ports: [3200] }), 'unknown'),
]);
const problems: Problem[] = [{ where: 'a.yaml:3', what: 'broken YAML', fix: 'this document is skipped' }];

describe('a table', () => {
  test('has a header, and a line for each service, in columns', async () => {
    const lines = (await render(services, problems, 'table', { colour: false })).split('\n');
    expect(lines).toHaveLength(services.length + 2);
    expect(lines.at(-1)).toBe('');
    expect(lines[0]?.split(/ {2,}/)).toEqual(['NAMESPACE', 'NAME', 'TYPE', 'ENDPOINT', 'HEALTH']);
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      'monitoring',
      'prometheus',
      'prometheus',
      'http://prometheus.monitoring.svc.cluster.local:9090',
      'healthy',
    ]);
    for (const column of ['NAME ', 'TYPE', 'ENDPOINT', 'HEALTH']) {
      const at = lines[0]?.indexOf(column) ?? -1;
      for (const line of lines.slice(1, -1)) expect(line.slice(at - 2, at + 1)).toMatch(/^ {2}\S$/);
    }
  });

  test('marks a backend that requires credentials', async () => {
    const lines = (await render(services, [], 'table', { colour: false })).split('\n');
    expect(lines[2]).toMatch(/healthy \(auth\)$/);
    expect(lines[1]).toMatch(/healthy$/);
  });

  test("has the reason and the probe's details in wide form", async () => {
    const [header, first] = (await render(services, [], 'wide', { colour: false })).split('\n');
    expect(header).toMatch(/CERTAINTY +WHY +PROBE +APPROVAL$/);
    expect(first).toMatch(/label +label app=prometheus +GET \/ answered 200$/);
  });

  test('colours only health, and only on request', async () => {
    const plain = await render(services, [], 'table', { colour: false });
    const coloured = await render(services, [], 'table', { colour: true });
    expect(plain).toBe(stripVTControlCharacters(plain));
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(coloured.split('\n')[0]).toBe(plain.split('\n')[0]);
    const health = coloured
      .split('\n')
      .slice(1, -1)
      .map((line) => line.slice(line.indexOf('\u001b')));
    expect(new Set(health.map((cell) => cell.slice(0, 5))).size).toBe(3);
    for (const cell of health) expect(stripVTControlCharacters(cell)).toMatch(/^(un)?(healthy|known)/);
  });

  test('of nothing is empty', async () => {
    expect(await render([], problems, 'table', { colour: true })).toBe('');
    expect(await render([], problems, 'wide', { colour: true })).toBe('');
  });
});

describe('JSON and YAML', () => {
  test('have the documented fields', async () => {
    const document = JSON.parse(await render(services, problems, 'json', { colour: true }));
    expect(document.warnings).toEqual(problems);
    expect(document.services).toHaveLength(services.length);
    expect(document.services[2]).toMatchObject({
      name: 'shop',
      namespace: 'monitoring',
      type: 'custom',
      tool: 'Orders',
      endpoint: 'http://shop.monitoring.svc.cluster.local:80',
      health: 'unhealthy',
      authRequired: false,
      certainty: 'annotation',
      description: 'All orders',
      alternates: [],
      evidence: expect.arrayContaining([
        { signal: 'annotation', detail: 'annotation kubernaut.io/toolset=true' },
      ]),
    });
  });

  test('are equivalent', async () => {
    expect(parse(await render(services, problems, 'yaml', { colour: true }))).toEqual(
      JSON.parse(await render(services, problems, 'json', { colour: true })),
    );
    expect(await render(services, problems, 'yaml', { colour: false })).not.toMatch(/[&*]a\d/);
  });

  test('of nothing are empty lists, for programs', async () => {
    expect(JSON.parse(await render([], [], 'json', { colour: false }))).toEqual({
      services: [],
      warnings: [],
    });
    expect(parse(await render([], [], 'yaml', { colour: false }))).toEqual({ services: [], warnings: [] });
  });

  test.each(FORMATS)('%s ends with one line break', async (format) => {
    expect(await render(services, [], format, { colour: false })).toMatch(/[^\n]\n$/);
  });
});

describe('warnings', () => {
  test('are one line each, on standard error only', () => {
    const result = new PassThrough();
    const messages = new PassThrough();
    warn({ result, messages }, [...problems, { where: 'namespace x', what: 'denied' }]);
    expect(String(messages.read())).toBe(
      'warning: a.yaml:3: broken YAML; this document is skipped\nwarning: namespace x: denied\n',
    );
    expect(result.read()).toBeNull();
  });
});

test('the wide table shows approvals, and the tools of a server on one line each', async () => {
  const found = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const tools = [{ name: 'x\u001b[31m', readOnly: true, digest: '' }];
  const probed = [{ ...found, verdict: { ...found.verdict, tools } }];
  const waiting = backendsOf(probed, { policy: { mcpPolicy: 'approve' } });
  const wide = await render(waiting, [], 'wide', { colour: false });
  expect(wide).toMatch(/PROBE +APPROVAL\n.* waiting\n$/);
  expect(await render(services.slice(0, 1), [], 'wide', { colour: false })).not.toContain('APPROVAL');
  expect(JSON.parse(await render(waiting, [], 'json', { colour: false })).services[0]).toMatchObject({
    approval: 'waiting',
    tools: [{ name: 'x [31m', readOnly: true }],
    toolsTruncated: false,
  });
});

test('with the published documents, the wide table says why a backend is not published', async () => {
  const published = { name: 'a', type: 'prometheus', endpoint: '', description: '', namespace: 'monitoring' };
  const found = services.map((backend) => backend.found);
  const tools = [{ ...published, metadata: { service: 'prometheus' } }];
  const backends = backendsOf(found, { tools });
  const wide = await render(backends, [], 'wide', { colour: false }, true);
  const last = wide.split('\n').map((line) => line.split(/ +/).at(-1));
  expect(last).toEqual(['PUBLISHED', 'yes', 'NotYetPublished', 'Unhealthy', 'NotYetPublished', '']);
  expect(await render(backends, [], 'wide', { colour: false })).not.toContain('PUBLISHED');
  expect(await render(backends, [], 'table', { colour: false }, true)).not.toContain('PUBLISHED');
});

test('JSON has the identity, the Services and the conditions of a backend, without times that a single run cannot know', async () => {
  const { services: all } = JSON.parse(await render(services, [], 'json', { colour: false }));
  expect(all[1]).toMatchObject({
    id: 'a-much-longer-namespace/loki',
    members: [{ name: 'loki', roles: [] }],
    memberCount: 1,
  });
  expect(all[1].conditions).toContainEqual({
    type: 'Healthy',
    status: 'True',
    reason: 'CredentialsRequired',
    message: 'GET / answered 401: alive, requires credentials',
  });
});

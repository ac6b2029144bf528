import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { DiscoveredService, ProbeStep, Problem } from '../../src/model/discovery.ts';
import { controlPlaneBinaries } from '../cluster/binaries.ts';
import { runChild } from '../cluster/child.ts';
import type { Report, Run } from './inside.ts';
import { inNamespace, namespaceProblem } from './namespace.ts';

/** A first run may have to build the API server. */
const PREPARE_LIMIT_MS = 20 * 60_000;
const RUN_LIMIT_MS = 240_000;

const problem = await namespaceProblem();
const title = 'the route through the API server';

describe.skipIf(problem !== undefined)(problem === undefined ? title : `${title}: ${problem}`, () => {
  let report: Report;

  beforeAll(async () => {
    const binaries = await controlPlaneBinaries();
    const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-proxy-'));
    try {
      const [command, args] = inNamespace([
        process.execPath,
        join(import.meta.dirname, 'inside.ts'),
        inject('program'),
      ]);
      const { code, tail } = await runChild(command, args, {
        env: { ...process.env, KUBEBUILDER_ASSETS: binaries, TMPDIR: folder },
        abort: AbortSignal.timeout(RUN_LIMIT_MS),
      });
      if (code !== 0) throw new Error(`inside.ts ended with ${code}\n${tail.join('\n')}`);
      report = JSON.parse(tail.findLast((line) => line.startsWith('{')) ?? '');
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }, PREPARE_LIMIT_MS);

  /** What `discover -o json` says. */
  const documentOf = (run: Run) =>
    JSON.parse(run.stdout) as {
      readonly services: readonly (DiscoveredService['verdict'] & {
        readonly name: string;
        readonly type: string;
        readonly endpoint: string;
      })[];
      readonly warnings: readonly Problem[];
    };
  const found = (name: string, run = report.discover) =>
    documentOf(run).services.find((service) => service.name === name);
  const warningsOf = (name: string) =>
    documentOf(report.discover).warnings.filter(({ where }) => where === `Service backends/${name}`);
  const explained = (name: string) =>
    JSON.parse(report.explained[name]?.stdout ?? '') as {
      readonly probe: DiscoveredService['verdict'];
      readonly used: boolean;
    };
  const paths = (name: string): string[] =>
    (report.asked[name] ?? []).map(({ method, path }) => `${method} ${path}`);

  test('is the default outside a cluster, and succeeds without warnings', () => {
    expect(report.discover.code).toBe(0);
    const { tools, ...others } = report.explained;
    const runs = [...Object.values(others), report.explainedText];
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      runs.map(() => ({ code: 0, stderr: '' })),
    );
    // Only an MCP server needs an approval, which is in a ConfigMap that this account may not read.
    expect(tools?.code).toBe(0);
    expect(tools?.stderr).toMatch(/^warning: ConfigMap \S+: cannot be read, so overrides, approvals .*\n$/);
  });

  test('a backend proves its type', () => {
    expect(found('prometheus')).toMatchObject({
      type: 'prometheus',
      endpoint: 'http://prometheus.backends.svc.cluster.local:9090',
      health: 'healthy',
      authRequired: false,
    });
    expect(explained('prometheus')).toMatchObject({
      probe: {
        proof: 'proven',
        steps: [{ asked: 'GET /-/healthy', answered: '200 Prometheus Server is Healthy.' }],
      },
      used: true,
    });
    expect(paths('prometheus')).toEqual(['GET /-/healthy']);
  });

  test('a port can have a name, and a number other than that of the Pod', () => {
    expect(found('grafana')).toMatchObject({ type: 'grafana', health: 'healthy' });
    expect(found('grafana')?.endpoint).toBe('http://grafana.backends.svc.cluster.local:80');
    expect(explained('grafana').probe.proof).toBe('proven');
    expect(paths('grafana')).toEqual(['GET /api/health']);
  });

  test('a headless Service is probed on the port of the Service, not of the endpoint', () => {
    expect(found('headless')?.endpoint).not.toMatch(/:80$/);
    expect(found('headless')).toMatchObject({ type: 'victorialogs', health: 'healthy' });
    expect(paths('headless').sort()).toEqual(['GET /', 'GET /health']);
  });

  test('an untrusted https certificate is accepted', () => {
    expect(found('elasticsearch')).toMatchObject({ type: 'elasticsearch', health: 'healthy' });
    expect(found('elasticsearch')?.endpoint).toMatch(/^https:/);
    expect(explained('elasticsearch').probe.proof).toBe('proven');
  });

  test('a backend that requires credentials is healthy, and gets none, not even those for the API server', () => {
    expect(found('locked')).toMatchObject({ type: 'pyroscope', health: 'healthy', authRequired: true });
    expect(explained('locked').probe).toMatchObject({ proof: 'unproven' });
    const headers = new Set(Object.values(report.asked).flatMap((all) => all.flatMap((one) => one.headers)));
    expect(headers).toContain('user-agent');
    for (const name of headers) expect(name).not.toMatch(/auth|cookie|token|impersonate|remote/);
  });

  test('redirects are not followed', () => {
    expect(paths('moved')).toContain('GET /-/healthy');
    expect(paths('trap')).toEqual([]);
    expect(found('moved')).toBeUndefined();
    expect(warningsOf('moved')).toMatchObject([{ what: expect.stringContaining('answered 302') }]);
    expect(explained('moved').probe.steps).toContainEqual<ProbeStep>({
      asked: 'GET /-/healthy',
      answered: '302 to http://trap.backends.svc.cluster.local/-/healthy',
    });
  });

  test('a redirect to a login page of its own means that it requires credentials', () => {
    expect(found('own-login')).toMatchObject({ health: 'healthy', authRequired: true });
    expect(explained('own-login').probe.steps).toContainEqual<ProbeStep>({
      asked: 'GET /-/healthy',
      answered: '302 to /login',
    });
  });

  test('a backend below a path is found by what it says of itself, although the API server rewrites that', () => {
    for (const name of ['below', 'below-url'])
      expect(found(name)).toMatchObject({
        type: 'prometheus',
        endpoint: `http://${name}.backends.svc.cluster.local:9090/prom`,
        health: 'healthy',
      });
    expect(found('below-page')).toMatchObject({
      type: 'jaeger',
      endpoint: 'http://below-page.backends.svc.cluster.local:16686/traces',
      health: 'healthy',
    });
    expect(explained('below').probe.steps).toContainEqual<ProbeStep>({
      asked: 'GET /prom/-/healthy',
      answered: '200 Prometheus Server is Healthy.',
    });
  });

  test('a backend that has nothing at any path stays, as unproven, with the setting to use', () => {
    expect(found('blank')).toMatchObject({ type: 'alertmanager', health: 'unknown' });
    expect(explained('blank').probe).toMatchObject({ proof: 'unproven' });
    expect(warningsOf('blank')).toMatchObject([
      { fix: expect.stringContaining('or set its path in detectors.alertmanager.paths[') },
    ]);
  });

  test("a backend's own 404 and 503 are told apart from those of the API server", () => {
    expect(found('gateway')).toMatchObject({ type: 'loki', health: 'healthy' });
    expect(paths('gateway')).toEqual(
      expect.arrayContaining(['GET /ready', 'GET /loki/api/v1/status/buildinfo']),
    );
    expect(found('missing')).toMatchObject({ health: 'unhealthy', reason: 'GET / answered 404' });
    expect(found('starting')).toMatchObject({ type: 'tempo', health: 'healthy' });
    expect(found('starting')?.reason).toContain('not ready yet: GET /ready answered 503');
  });

  test('an endless response is cut off', () => {
    expect(found('endless')).toMatchObject({ health: 'healthy', reason: 'GET / answered 200' });
  });

  test('a backend without Pods is still listed, with unknown health and the reason', () => {
    expect(found('waiting')).toMatchObject({ type: 'jaeger', health: 'unknown' });
    expect(found('waiting')?.reason).toContain('no endpoints available');
    expect(report.explainedText.stdout).toContain('no endpoints available');
    expect(found('outside')).toMatchObject({ type: 'custom', health: 'unknown' });
    expect(found('outside')?.reason).toContain('does not reach it');
  });

  test('a backend without a ready Pod is unhealthy, and is not probed', () => {
    expect(found('empty')).toMatchObject({
      type: 'zipkin',
      health: 'unhealthy',
      reason: 'none of its endpoints is ready',
    });
  });

  test('a Pod that refuses the connection is unhealthy', () => {
    expect(found('gone')).toMatchObject({ type: 'kibana', health: 'unhealthy' });
    expect(found('gone')?.reason).toContain('connection refused');
  });

  test('the scheme can be other than the port suggests', () => {
    expect(found('plain')).toMatchObject({
      endpoint: 'http://plain.backends.svc.cluster.local:443',
      health: 'healthy',
    });
    expect(found('secret')).toMatchObject({
      type: 'thanos',
      endpoint: 'https://secret.backends.svc.cluster.local:9090',
      health: 'healthy',
    });
  });

  test('an MCP server gets POST requests, and its session is ended', () => {
    expect(found('tools')).toMatchObject({
      type: 'mcp',
      endpoint: 'http://tools.backends.svc.cluster.local:8000/mcp',
      health: 'healthy',
    });
    expect(explained('tools').probe).toMatchObject({ proof: 'proven', facts: { eras: 'legacy' } });
    // server/discover, initialize, notifications/initialized and tools/list.
    expect(paths('tools')).toEqual(['POST /mcp', 'POST /mcp', 'POST /mcp', 'POST /mcp', 'DELETE /mcp']);
    expect(report.sessions).toEqual({ opened: 1, ended: 1 });
  });

  test.each([
    ['tools-below', '/mcp'],
    ['tools-root', ''],
    ['tools-events', '/sse'],
  ])('an MCP server is found where it serves: %s', (name, path) => {
    expect(found(name)).toMatchObject({
      type: 'mcp',
      endpoint: `http://${name}.backends.svc.cluster.local:8000${path}`,
      health: 'healthy',
    });
  });

  test('a backend that does not speak HTTP is not probed', () => {
    expect(found('kafka')).toMatchObject({ health: 'unknown' });
    expect(found('kafka')?.reason).toContain('HTTP only');
    expect(explained('kafka').used).toBe(true);
    expect(paths('kafka')).toEqual([]);
  });

  test('a Service is never probed in place of another host that its annotation names', () => {
    expect(found('elsewhere')).toMatchObject({
      endpoint: 'http://outside.example.com:8080',
      health: 'unknown',
    });
    expect(paths('elsewhere')).toEqual([]);
  });

  test('a health path with .. is rejected, and the default path is probed', () => {
    expect(paths('climbing')).toEqual(['GET /']);
  });

  test.each([
    ['none', 'unknown', 'unknown', { opened: 0, ended: 0 }],
    ['get', 'healthy', 'unknown', { opened: 0, ended: 0 }],
    ['get,create', 'healthy', 'healthy', { opened: 1, ended: 0 }],
    ['get,create,delete', 'healthy', 'healthy', { opened: 1, ended: 1 }],
  ])(
    'with the verbs "%s" on services/proxy, prometheus is %s and the MCP server %s',
    (verbs, prometheus, mcp, sessions) => {
      const outcome = report.rights[verbs];
      expect(outcome?.run.code).toBe(0);
      expect(outcome?.sessions).toEqual(sessions);
      for (const [name, health] of [
        ['prometheus', prometheus],
        ['tools', mcp],
      ]) {
        const service = found(name ?? '', outcome?.run);
        expect(service?.health).toBe(health);
        if (health === 'unknown') expect(service?.reason).toMatch(/denied.*grant.*services\/proxy/);
      }
    },
  );
});

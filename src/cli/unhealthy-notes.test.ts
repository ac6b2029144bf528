import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { answering } from '../../test/fixtures/unit/server.ts';
import { EXIT } from './exit.ts';
import { generateCommand } from './generate.ts';

const service = (name: string, labels: Record<string, string>, port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', labels },
  spec: { selector: { app: name }, ports: [{ name: 'http', port }] },
});
const prometheus = (name: string) =>
  service(name, { 'app.kubernetes.io/name': 'prometheus', 'app.kubernetes.io/instance': name }, 9090);
const MCP = service('orders', { app: 'mcp-server' }, 9090);

/** What `generate` writes for these Services. They refuse connections, but one named `up` has this port. */
async function generated(
  services: readonly ReturnType<typeof service>[],
  up = 1,
): Promise<{
  readonly result: string;
  /** Those about unhealthy backends, and all others. */
  readonly warnings: readonly string[];
  readonly others: readonly string[];
}> {
  const connectTo = services.map(
    ({ metadata: { name } }) => `${name}.shop.svc.cluster.local:9090:127.0.0.1:${name === 'up' ? up : 1}`,
  );
  const { cli, written } = cliContext({
    env: { PROBE: 'direct', CONNECT_TO: connectTo.join(',') },
    stdin: Readable.from([JSON.stringify({ apiVersion: 'v1', kind: 'List', items: services })]),
  });
  expect(await generateCommand({ filename: ['-'], format: 'toolset-json' }, cli)).toBe(EXIT.ok);
  const lines = written.messages.split('\n').filter((line) => line.startsWith('warning: '));
  const isUnhealthy = (line: string): boolean => line.startsWith('warning: unhealthy');
  return {
    result: written.result,
    warnings: lines.filter(isUnhealthy),
    others: lines.filter((line) => !isUnhealthy(line)),
  };
}

const ADVICE =
  'discover lists all with their health, and explain shows what was requested; --probe none includes them unprobed';

test('generate says which backends it leaves out because they are unhealthy, and why', async () => {
  const { port } = await answering({ '/-/healthy': 'Prometheus Server is Healthy.' });
  const { result, warnings } = await generated([prometheus('up'), prometheus('down')], port);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^warning: unhealthy backends: 1 is left out \(shop\/down: GET \/-\/healthy: connection refused/,
    ),
  ]);
  expect(warnings[0]).toContain(`); ${ADVICE}`);
  expect(result).toContain('up.shop');
  expect(result).not.toContain('down.shop');
});

test('if none of several can be reached, none is left out, and a warning says why', async () => {
  const { result, warnings, others } = await generated([prometheus('a'), prometheus('b')]);
  expect(warnings).toEqual([]);
  expect(result).toContain('a.shop');
  expect(result).toContain('b.shop');
  expect(others).toEqual([
    'warning: probes: no backend can be reached, so the cause is probably DNS or the network of this program, and not the backends; health is unknown, and published tools stay; look at NetworkPolicies and the network where this program runs',
  ]);
});

test('the line names a few of very many', async () => {
  const { port } = await answering({ '/-/healthy': 'Prometheus Server is Healthy.' });
  const down = Array.from({ length: 40 }, (_, n) => prometheus(`p${n}`));
  const { warnings } = await generated([prometheus('up'), ...down], port);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('40 are left out (shop/p0: ');
  expect(warnings[0]).toContain('; …); ');
  expect(warnings[0]?.length).toBeLessThan(1000);
});

test('a server that waits for approval is told as that only', async () => {
  expect((await generated([MCP])).warnings).toEqual([]);
});

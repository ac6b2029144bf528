import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { SCALE } from '../scale.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';
import { beginAndEnd, COLLECTING, soak } from './soak.ts';

const SERVICES = 1_000;
const SECONDS = 30 * SCALE;

/** What compiled code and what is on its way may come to, in MiB. */
const SLACK = 12;

// `npm run -s bench -- soak --seconds 600` does the same for longer, and finds slower leaks.
test(`${SECONDS} s of 50 changes a second, of all kinds: no memory, socket or timer leaks`, {
  timeout: 120_000 + SECONDS * 2_000,
}, async () => {
  const backend = await startBackend();
  const { cluster, watched, target, env, prometheus } = await setting({ backendPort: backend.port });
  await prometheus();
  const services = Array.from({ length: SERVICES }, (_, index) => ({
    namespace: watched,
    name: `application-${index}`,
  }));
  await pLimit(16).map(services, ({ name }) =>
    cluster.service(watched, { name, ports: [80], headless: true }),
  );
  const serve = startServe({
    ...env,
    DISCOVERY_INTERVAL: '5s',
    METRICS_ADDRESS: '127.0.0.1:0',
    METRICS_AUTH_ENABLED: 'false',
    NODE_OPTIONS: COLLECTING,
  });
  const { port } = await serve.logged('metrics are served');
  await serve.logged('toolset published');
  const held = await soak(
    {
      admin: cluster.admin,
      services,
      watched,
      target,
      pid: serve.process.pid ?? 0,
      metricsPort: Number(port),
    },
    SECONDS,
  );
  const { begin, end } = beginAndEnd(held);
  expect(end.heap, JSON.stringify({ begin, end })).toBeLessThan(begin.heap + SLACK);
  expect(end.sockets).toBeLessThanOrEqual(begin.sockets + 2);
  expect(end.timers).toBeLessThanOrEqual(begin.timers + 2);
  const said = (text: string): number => serve.lines.filter(({ message }) => message.includes(text)).length;
  // A busy machine sees several changes as one.
  expect(said('the configuration changed')).toBeGreaterThan(0);
  expect(said('somebody changed generated content')).toBeGreaterThan(0);
  expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await serve.stop()).toBe(0);
});

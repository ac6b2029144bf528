/** What has never worked has no precedence, no name, and no place of what works. */
import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { sinceOf } from './company.ts';
import { namingOf } from './naming.ts';
import { type DiscoveryResult, discover, toolKinds } from './pass.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const FAILED: Verdict = { ...GOOD, health: 'unhealthy', proof: 'unproven', fault: 'timeout', reason: '500' };
const MINUTE = 60_000;

/** A labelled Prometheus with Pods of its own, created some minutes after the first one. */
const prometheus = (key: string, minutes: number, displayName?: string): Service => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    ...service(name, {
      ...{ namespace, labels: { app: 'prometheus' }, selector: { x: name }, ports: ['http:9090'] },
      ...(displayName === undefined
        ? {}
        : { annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': displayName } }),
    }),
    created: new Date(Date.UTC(2026, 0, 1) + minutes * MINUTE).toISOString(),
  };
};

/** Passes of one process. */
function passes() {
  let last: DiscoveryResult | undefined;
  return async (minutes: number, services: readonly Service[], failing: readonly string[] = []) => {
    const { held, ...naming } = namingOf([], NO_OVERRIDES, {}, last?.services ?? [], last);
    last = await discover(
      services,
      {
        ...{ rules, problems: [], detection: options, maxBackends: 1_000, naming: { held, ...naming } },
        prober: {
          probe: ({ service: { name } }) => Promise.resolve(failing.includes(name) ? FAILED : GOOD),
        },
        ...(last === undefined ? {} : { inUse: last.inUse, companions: last.companions }),
        ...{ vanished: last?.vanished, keptNames: last?.keptNames, now: 1 + minutes * MINUTE },
      },
      new AbortController().signal,
    );
    return last;
  };
}

/** The URLs of the tools that work, by their names. */
const toolsOf = ({ services }: DiscoveryResult): Record<string, string> =>
  Object.fromEntries(
    services
      .filter(({ verdict }) => verdict.health === 'healthy')
      .map(({ tool, endpoint }) => [tool, endpoint.host.replace('.svc.cluster.local', '')]),
  );

test('a limit takes those that were parked, and not the one that worked first', async () => {
  const pass = passes();
  const parked = ['a', 'b', 'c'].map((name) => prometheus(`shared/${name}`, 0));
  const victim = prometheus('shared/victim', 30);
  const names = parked.map(({ name }) => name);
  await pass(0, parked, names);
  await pass(30, [...parked, victim], names);
  const found = await pass(60, [...parked, victim]);
  const published = generate(found.services, {
    ...{ credentials: {}, holmesgptVersion: '0.32', overrides: NO_OVERRIDES, kinds: toolKinds(rules) },
    ...{ maxToolsPerNamespace: 1, inUseSince: sinceOf(found) },
  });
  expect(published.tools.map(({ name }) => name)).toEqual(['victim.shared']);
});

describe('a Service with a role that never worked', () => {
  const gateway = prometheus('shared/prometheus-gateway', 0, 'decoy');
  const server = prometheus('shared/prometheus-server', 5, 'metrics');
  const thief = prometheus('evil/thief', 6, 'metrics');
  const OWN = { metrics: 'prometheus-server.shared', 'thief.evil': 'thief.evil' };

  test('gives the backend that it belongs to no name', async () => {
    const pass = passes();
    await pass(0, [gateway], ['prometheus-gateway']);
    await pass(5, [gateway, server], ['prometheus-gateway']);
    expect(toolsOf(await pass(6, [gateway, server, thief], ['prometheus-gateway']))).toEqual(OWN);
    expect(toolsOf(await pass(7, [server, thief]))).toEqual(OWN);
  });

  test('has ten minutes to take the place of the one that works', async () => {
    const pass = passes();
    await pass(0, [gateway], ['prometheus-gateway']);
    await pass(5, [gateway, server], ['prometheus-gateway']);
    await pass(14, [gateway, server], ['prometheus-gateway']);
    expect(toolsOf(await pass(14.9, [gateway, server]))).toEqual({ metrics: 'prometheus-gateway.shared' });
    const late = passes();
    await late(0, [gateway], ['prometheus-gateway']);
    await late(5, [gateway, server], ['prometheus-gateway']);
    expect(toolsOf(await late(16, [gateway, server]))).toEqual({ metrics: 'prometheus-server.shared' });
  });

  test('and that is much older never takes it', async () => {
    const pass = passes();
    const new_ = prometheus('shared/prometheus-server', 11, 'metrics');
    await pass(0, [gateway], ['prometheus-gateway']);
    await pass(11, [gateway, new_], ['prometheus-gateway']);
    expect(toolsOf(await pass(12, [gateway, new_]))).toMatchObject({ metrics: 'prometheus-server.shared' });
  });

  test('takes it only while the one that worked is away', async () => {
    for (const away of ['redeployed', 'failing', 'off'] as const) {
      const pass = passes();
      const failing = ['prometheus-gateway'];
      await pass(0, [gateway], failing);
      await pass(5, [gateway, server], failing);
      const again = { ...server, created: new Date(Date.UTC(2026, 0, 1, 0, 30)).toISOString() };
      if (away === 'failing') await pass(30, [gateway, server], ['prometheus-server']);
      else await pass(30, [gateway], failing);
      if (away === 'off') await pass(30.5, [gateway]);
      const back = await pass(31, [gateway, again], away === 'off' ? [] : ['prometheus-gateway']);
      expect(toolsOf(back)).toMatchObject({ metrics: 'prometheus-server.shared' });
      await pass(32, [gateway, again]);
      expect(toolsOf(await pass(90, [gateway, again]))).toMatchObject({
        metrics: 'prometheus-server.shared',
      });
    }
  });

  test('that worked before takes it back at any time', async () => {
    const pass = passes();
    await pass(0, [gateway, server]);
    await pass(1, [gateway, server], ['prometheus-gateway']);
    await pass(90, [gateway, server], ['prometheus-gateway']);
    expect(toolsOf(await pass(91, [gateway, server]))).toEqual({ decoy: 'prometheus-gateway.shared' });
  });
});

test('a name belongs to the one that works first, and stays with it', async () => {
  const pass = passes();
  const squatter = prometheus('evil/squatter', 0, 'metrics');
  const victim = prometheus('team/victim', 5, 'metrics');
  await pass(0, [squatter], ['squatter']);
  expect(toolsOf(await pass(5, [squatter, victim], ['squatter']))).toEqual({ metrics: 'victim.team' });
  const both = { metrics: 'victim.team', 'squatter.evil': 'squatter.evil' };
  expect(toolsOf(await pass(6, [squatter, victim]))).toEqual(both);
  await pass(7, [squatter, victim], ['victim']);
  expect(toolsOf(await pass(8, [squatter, victim]))).toEqual(both);
});

test('a name is not kept for what has never worked', async () => {
  const pass = passes();
  const squatter = prometheus('evil/squatter', 0, 'metrics');
  const victim = prometheus('team/victim', 5, 'metrics');
  await pass(5, [squatter, victim], ['squatter']);
  await pass(6, [squatter], ['squatter']);
  await pass(20, [squatter], ['squatter']);
  const other = prometheus('other/other', 21, 'metrics');
  expect(toolsOf(await pass(21, [squatter, other], ['squatter']))).toEqual({ metrics: 'other.other' });
});

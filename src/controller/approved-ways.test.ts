import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { LiveDetection } from '../detection/live.ts';
import { approvalsIn } from '../model/approvals.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { discover, toolKinds } from './pass.ts';

const verdict = (health: Verdict['health'], proof: Verdict['proof']): Verdict => ({
  health,
  authRequired: false,
  proof,
  reason: '',
  steps: [],
});
const GOOD = verdict('healthy', 'proven');

const PODS = { app: 'orders' };
const mcp = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, {
    namespace: 'shop',
    labels: { app: 'mcp-server' },
    selector: PODS,
    ports: ['mcp:8000'],
    ...fields,
  });
const annotated = (name: string, type: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, {
    namespace: 'shop',
    selector: PODS,
    ports: ['http:8000'],
    annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': type },
    ...fields,
  });

/** What is published of Services, where people wrote this. */
async function published(
  services: readonly Service[],
  tools: Record<string, unknown>,
  answers: Readonly<Record<string, Verdict>> = {},
) {
  const overrides = overridesSchema.parse({ tools });
  const prober = {
    probe: ({ service: { name } }: Candidate) => Promise.resolve(answers[name] ?? GOOD),
  };
  const detection = { ...options, approvals: approvalsIn(overrides) };
  const stages = { rules, problems: [], prober, detection, maxBackends: 20 };
  const found = await discover(services, stages, new AbortController().signal);
  const { documents, waiting } = generate(found.services, {
    credentials: {},
    holmesgptVersion: '0.32',
    kinds: toolKinds(rules),
    mcpPolicy: 'approve',
    namespaces: ['*'],
    overrides,
  });
  const { tools: made } = JSON.parse(documents['toolset.json'] ?? '') as {
    tools: { endpoint: string; type: string }[];
  };
  return { endpoints: made.map(({ type, endpoint }) => `${type} ${endpoint}`), waiting, asked: found };
}

const ORDERS = 'mcp http://orders.shop.svc.cluster.local:8000/mcp';
const APPROVED = { 'shop/orders': { approved: 'mcp' } };

describe('an approved Service keeps its place', () => {
  test.each([
    ['one with a shorter name and the same Pods', mcp('a')],
    ['one at another port', mcp('a', { ports: ['mcp:9000'] })],
    ['one that its owner offers', annotated('a', 'mcp')],
    ['one that its owner offers as something else', annotated('a', 'custom')],
    ['one with a name like it', mcp('orders-server', { selector: { app: 'other' } })],
  ])('beside %s', async (_, twin) => {
    expect((await published([mcp('orders')], APPROVED)).endpoints).toEqual([ORDERS]);
    const { endpoints } = await published([mcp('orders'), twin], APPROVED);
    expect(endpoints).toEqual([ORDERS]);
  });

  test('also if the approved one is headless, and while its health is unknown', async () => {
    const headless = mcp('orders', { headless: true });
    expect((await published([headless, mcp('a')], APPROVED)).endpoints).toEqual([ORDERS]);
    const answers = { orders: { ...verdict('unknown', 'unproven'), fault: 'timeout' as const } };
    expect((await published([mcp('orders'), mcp('a')], APPROVED, answers)).endpoints).toEqual([ORDERS]);
  });

  test('if a refused one joins it', async () => {
    const refused = { ...APPROVED, 'shop/a': { approved: false } };
    expect((await published([mcp('orders'), mcp('a')], refused)).endpoints).toEqual([ORDERS]);
  });

  test('without any approval, the preferred one waits', async () => {
    expect(await published([mcp('orders'), mcp('a')], {})).toMatchObject({
      endpoints: [],
      waiting: ['shop/a'],
    });
  });

  const twins = fc.uniqueArray(
    fc
      .record({
        name: fc.constantFrom('a', 'b', 'mcp', 'orders-mcp', 'orders-server', 'orders-headless', 'zz'),
        selector: fc.constantFrom(PODS, { ...PODS, tier: 'x' }, { app: 'other' }, {}),
        port: fc.constantFrom('mcp:8000', 'mcp:9000', 'http:8000'),
        headless: fc.boolean(),
        type: fc.constantFrom(undefined, 'mcp', 'custom', 'weather'),
        answer: fc.constantFrom(GOOD, verdict('unhealthy', 'unproven'), verdict('unknown', 'unproven')),
      })
      .map(({ name, type, port, answer, ...fields }) => ({
        answer,
        made:
          type === undefined
            ? mcp(name, { ...fields, ports: [port] })
            : annotated(name, type, { ...fields, ports: [port] }),
      })),
    { selector: ({ made }) => made.name, maxLength: 7 },
  );

  test('whatever Services are added', async () => {
    await fc.assert(
      fc.asyncProperty(
        twins,
        fc.constantFrom(true, 'mcp'),
        fc.boolean(),
        async (others, approved, headless) => {
          const answers = Object.fromEntries(others.map(({ made, answer }) => [made.name, answer]));
          const services = [mcp('orders', { headless }), ...others.map(({ made }) => made)];
          const { endpoints } = await published(services, { 'shop/orders': { approved } }, answers);
          expect(endpoints).toEqual([ORDERS]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('even with more Services than the limits of a namespace and in total', async () => {
    const flood = Array.from({ length: 600 }, (_, n) =>
      mcp(`a${n}`, { selector: { app: `x${n}` }, created: '2026-01-01T00:00:00Z' }),
    );
    const orders = mcp('orders', { created: '2026-02-01T00:00:00Z' });
    expect((await published([...flood, orders], APPROVED)).endpoints).toEqual([ORDERS]);
  });
});

describe('an approval is for a type', () => {
  const CUSTOM = 'custom http://orders.shop.svc.cluster.local:8000';
  test.each([
    ['custom', 'custom', CUSTOM],
    ['mcp', 'mcp', ORDERS],
    [true, 'custom', CUSTOM],
    [true, 'mcp', ORDERS],
    ['custom', 'mcp', undefined],
    ['mcp', 'custom', undefined],
  ])('%j, and it is %s', async (approved, type, expected) => {
    const { endpoints, waiting } = await published([annotated('orders', type)], {
      'shop/orders': { approved },
    });
    expect(endpoints).toEqual(expected === undefined ? [] : [expected]);
    expect(waiting).toEqual(expected === undefined ? ['shop/orders'] : []);
  });
});

test('a change of approvals regroups the namespaces that it names, and no others', () => {
  const live = new LiveDetection(rules, options);
  live.replace([mcp('orders'), mcp('a'), mcp('x', { namespace: 'other' })], new Set());
  const before = live.detect();
  expect(before.candidates.map(({ service: { name } }) => name)).toEqual(['x', 'a']);
  live.approve(approvalsIn(overridesSchema.parse({ tools: APPROVED })));
  const after = live.detect();
  expect(after.candidates.map(({ service: { name } }) => name)).toEqual(['x', 'orders']);
  live.approve(approvalsIn(overridesSchema.parse({ tools: APPROVED })));
  expect(live.detect()).toBe(after);
});

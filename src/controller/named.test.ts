import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { admissionOf } from '../planning/admission.ts';
import { namingBy } from './naming.ts';
import { discover } from './pass.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const BAD: Verdict = { ...GOOD, health: 'unhealthy', proof: 'unproven' };

/** The ways into backends after a pass, and the Services that were asked. */
async function pass(services: readonly Service[], overrides: unknown, answers: Record<string, Verdict> = {}) {
  const written: Overrides = overridesSchema.parse(overrides);
  const asked: string[] = [];
  const probe = ({ service: { name } }: Candidate): Promise<Verdict> => {
    asked.push(name);
    return Promise.resolve(answers[name] ?? GOOD);
  };
  const naming = { held: new Map(), ...namingBy(written, {}) };
  const stages = { rules, problems: [], prober: { probe }, detection: options, maxBackends: 100, naming };
  const { services: found } = await discover(services, stages, new AbortController().signal);
  const approvals = found.map((each) => admissionOf(each, { mcpPolicy: 'approve' }, written).state);
  return { used: found.map(({ service: { name } }) => name), asked, approvals };
}

const loki = (name: string): Service =>
  service(name, { labels: { app: 'loki' }, ports: ['http-metrics:3100'] });
const server = (name: string, port: number): Service =>
  service(name, { labels: { app: 'mcp-server' }, selector: { app: 'orders' }, ports: [`mcp:${port}`] });

describe('the Service that overrides name is the entry point', () => {
  const both = [loki('loki'), loki('loki-gateway')];

  test('whatever the name of another one', async () => {
    expect((await pass(both, {})).used).toEqual(['loki-gateway']);
    expect((await pass(both, { tools: { 'monitoring/loki': { description: 'pinned' } } })).used).toEqual([
      'loki',
    ]);
    expect((await pass(both, { tools: { 'loki.monitoring': { description: 'pinned' } } })).used).toEqual([
      'loki',
    ]);
    const backends = { 'monitoring/loki': { headers: { 'X-Scope-OrgID': 'a' } } };
    const holmesgpt = { toolsets: { 'grafana/loki': { backends } } };
    expect((await pass(both, { holmesgpt })).used).toEqual(['loki']);
  });

  test('and so is one with configured credentials', () => {
    const credentials = {
      'monitoring/loki': { bearerToken: 'T' },
      loki: { bearerToken: 'T', namespaces: ['a'] },
    };
    expect(namingBy(NO_OVERRIDES, credentials).named).toEqual(new Set([keyFor('monitoring/loki')]));
  });

  test('what is configured without a Service is known by type and namespace', () => {
    const credentials = { loki: { bearerToken: 'T', namespaces: ['a', '*'] }, 'a/b': { bearerToken: 'T' } };
    const backends = { 'shop/*': { timeout_seconds: 1 }, '*': { timeout_seconds: 2 }, 'a/c': {} };
    const written = overridesSchema.parse({ holmesgpt: { toolsets: { 'grafana/loki': { backends } } } });
    expect(namingBy(written, credentials).configured).toEqual(new Set(['loki a', 'loki *', '* shop', '* *']));
  });

  test('while it works: otherwise another one is used', async () => {
    const named = { tools: { 'monitoring/loki': { description: 'pinned' } } };
    expect((await pass(both, named, { loki: BAD })).used).toEqual(['loki-gateway']);
  });

  test('among more twins than are ever probed', async () => {
    const twins = Array.from({ length: 12 }, (_, index) => server(`a-${index}-mcp`, 8100 + index));
    const approved = { tools: { 'monitoring/orders-mcp': { approved: 'mcp' } } };
    const { used, asked, approvals } = await pass([...twins, server('orders-mcp', 8000)], approved);
    expect(used).toEqual(['orders-mcp']);
    expect(approvals).toEqual(['approved']);
    expect(asked).toEqual(['orders-mcp']);
  });
});

describe('a backend without a verdict', () => {
  const PENDING: Verdict = { ...GOOD, health: 'unknown', proof: 'unproven', pending: true };
  const hint = service('checkout', {
    annotations: { 'prometheus.io/scrape': 'true' },
    ports: ['http:8080'],
  });

  test.each([
    ['one that a label names', loki('loki'), 'monitoring/loki'],
    ['one that a hint alone speaks for', hint, 'monitoring/checkout'],
  ] as const)('is no tool, unless it is published: %s', async (_, found, key) => {
    const stages = {
      rules,
      problems: [],
      prober: { probe: () => Promise.resolve(PENDING) },
      detection: options,
      maxBackends: 100,
    };
    const { signal } = new AbortController();
    const first = await discover([found], stages, signal);
    expect([first.services, first.contradicted]).toEqual([[], []]);
    const { services, inUse } = await discover([found], { ...stages, inUse: new Set([keyFor(key)]) }, signal);
    expect(services.map(({ verdict: { health } }) => health)).toEqual(['unknown']);
    expect(inUse).toEqual(new Set([keyFor(key)]));
  });
});

import { expect, onTestFinished, test, vi } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { ScheduledProber } from '../probing/scheduled-prober.ts';
import { Engine, type EngineOptions } from './engine.ts';
import type { EngineEvent } from './events.ts';

const loki = (name: string) => service(name, { labels: { app: 'loki' }, ports: ['http-metrics:3100'] });
const WANTS_CREDENTIALS: Verdict = {
  health: 'healthy',
  authRequired: true,
  proof: 'unproven',
  reason: 'GET /ready answered 401',
  steps: [],
};

const published = (name: string) => ({
  data: {
    'toolset.json': JSON.stringify({
      tools: [{ name: 'loki', namespace: 'monitoring', metadata: { service: name } }],
    }),
  },
  labels: {},
  annotations: {},
});

test('the published state determines the entry points in use: after a start, and after another leader', async () => {
  let live = published('loki-query-frontend');
  const used: (string | undefined)[] = [];
  const parts: Partial<EngineOptions> = {
    source: {
      async run(changed, signal) {
        changed({
          kind: 'sync',
          services: [loki('loki-gateway'), loki('loki-query-frontend')],
          stale: [],
          problems: [],
        });
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    },
    stages: {
      rules,
      problems: [],
      prober: new ScheduledProber(
        { probe: () => Promise.resolve(WANTS_CREDENTIALS) },
        { refreshInterval: 60_000, now: () => performance.now(), random: Math.random },
      ),
      detection: options,
      maxBackends: 10,
    },
    targets: [
      {
        id: 'home',
        publisher: {
          target: 'the test',
          read: () => Promise.resolve(live),
          apply: () => Promise.reject(new Error('this replica does not lead')),
        },
        generation: { credentials: {}, holmesgptVersion: '0.32' },
        outputs: OUTPUTS,
        owner: async () => undefined,
        force: false,
        removalHold: 0,
      },
    ],
    mayPublish: () => false,
    once: false,
    emit(event: EngineEvent) {
      if (event.kind === 'pass') used.push(event.services[0]?.service.name);
    },
  };
  const engine = new Engine(parts as EngineOptions);
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  await vi.waitFor(() => expect(used).toEqual(['loki-query-frontend']));
  live = published('loki-gateway');
  engine.wake();
  await vi.waitFor(() => expect(used).toEqual(['loki-query-frontend', 'loki-query-frontend']));
  engine.onStartedLeading();
  await vi.waitFor(() => expect(used.at(-1)).toBe('loki-gateway'));
});

import { expect, onTestFinished, test } from 'vitest';
import { builtInDetectors } from '../config/detector-files.ts';
import { ReadModel } from '../controller/read-model.ts';
import { makeRules } from '../detection/make-rules.ts';
import type { Backing, GenerateAnswer } from '../server/api.ts';
import { createApiService } from './api-service.ts';
import { ClientWorker } from './client-worker.ts';

type Parts = ReturnType<Parameters<typeof createApiService>[0]>;

/** The API's backing with the real rules, and a count of what its worker was asked. */
function setting(): { readonly backing: Backing; readonly readModel: ReadModel; readonly asked: string[] } {
  const { rules } = makeRules(builtInDetectors());
  const detection = { clusterDomain: 'cluster.local', allowedHosts: [], allowExternalNames: false };
  const generation = { credentials: {}, holmesgptVersion: '0.32' };
  const engine = { stages: { rules, detection }, targets: [{ generation }] };
  const parts = { instance: { engine } } as unknown as Parts;
  const readModel = new ReadModel({ now: () => new Date(0) });
  const asked: string[] = [];
  class Counting extends ClientWorker {
    override generate(...[question, client, services]: Parameters<ClientWorker['generate']>) {
      asked.push(client);
      return super.generate(question, client, services);
    }
  }
  const checks = new Counting({ longest: 60_000 });
  onTestFinished(() => checks.close());
  return {
    backing: createApiService(() => parts, readModel, undefined as never, '0.0.0', checks),
    readModel,
    asked,
  };
}

const answerOf = (bytes: Uint8Array): GenerateAnswer => JSON.parse(new TextDecoder().decode(bytes));

const services = (many: number) =>
  Array.from({ length: many }, (_, n) => ({
    name: `n${n}`,
    namespace: `ns${n % 300}`,
    type: 'loki',
    endpoint: `http://n${n}.shop:3100`,
  }));

test('the event loop keeps turning while documents are generated for many services', async () => {
  const { backing } = setting();
  let turns = 0;
  let done = false;
  const generated = backing.generate(services(300), 'ann').finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    turns++;
  }
  expect(answerOf(await generated).documents['toolset.json']).toContain('http://n299.shop:3100');
  expect(turns).toBeGreaterThan(20);
});

test('a client gets documents for one request at a time', async () => {
  const { backing } = setting();
  const first = backing.generate(services(1), 'ann');
  await expect(backing.generate(services(1), 'ann')).rejects.toMatchObject({ kind: 'too-many-requests' });
  const other = backing.generate(services(2), 'bob');
  expect([answerOf(await first).tools, answerOf(await other).tools]).toEqual([1, 2]);
});

test('documents for known backends are generated once per revision of the read model', async () => {
  const { backing, readModel, asked } = setting();
  for (let times = 0; times < 3; times++)
    expect(answerOf(await backing.generate(undefined, 'ann')).tools).toBe(0);
  expect(asked).toEqual(['ann']);
  readModel.sourceUnavailable('an outage');
  await backing.generate(undefined, 'ann');
  expect(asked).toEqual(['ann', 'ann']);
});

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { FindingsError } from '../../src/model/errors.ts';
import { SCALE } from '../scale.ts';
import { rollbackTo, serveInside, serveOnce } from './inside.ts';
import { inputsGive, isOff, type Model, settled } from './random-model.ts';
import { startServe } from './serve-process.ts';
import { SELDOM, type Setting, setting } from './setting.ts';

const STEPS = 300 * SCALE;
/** How many revisions are kept. */
const LIMIT = 5;
/** How many edits one process surely reverts at once. */
const MANY_EDITS = 15;

const KINDS = { prometheus: 9090, loki: 3100, tempo: 3200, grafana: 3000 } as const;
const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
const document = fc.constantFrom('toolset.json', 'custom_toolset.yaml');

/** What a person writes: readable, or broken, or nothing. */
const overrides = fc.oneof(
  fc.constantFrom('tools: {}\n', '# mine\r\ntools: {}   \n\n', '', 'prometheus off', 'loki named'),
  fc.constantFrom('tools: [', 'tools:\n  a: { enabled: perhaps }\r\n'),
  fc.constant(undefined),
);

type Step =
  | { readonly do: 'service'; readonly kind: keyof typeof KINDS; readonly change: boolean }
  | { readonly do: 'overrides'; readonly text: string | undefined }
  | { readonly do: 'edit'; readonly key: string; readonly remove: boolean; readonly times: number }
  | { readonly do: 'foreign'; readonly key: string; readonly where: 'data' | 'label' }
  | { readonly do: 'delete' }
  | {
      readonly do: 'restart';
      readonly after: number;
      readonly kind: keyof typeof KINDS;
      readonly gone: boolean;
    }
  | { readonly do: 'rollback'; readonly index: number }
  | { readonly do: 'second'; readonly kind: keyof typeof KINDS };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('service' as const), kind, change: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('overrides' as const), text: overrides }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      key: document,
      remove: fc.boolean(),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('foreign' as const),
      key: fc.constantFrom('notes.txt', 'team'),
      where: fc.constantFrom('data', 'label'),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'delete' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      after: fc.nat(60),
      kind,
      gone: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), index: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('second' as const), kind }) },
);

/** The Services of a setting, which come, change and go. */
function services({ cluster, watched }: Setting) {
  const there = new Map<keyof typeof KINDS, number>();
  const path = (name: string): string => `/api/v1/namespaces/${watched}/services/${name}`;
  return {
    async turn(name: keyof typeof KINDS, change = false): Promise<void> {
      const times = there.get(name);
      if (times === undefined) {
        there.set(name, 0);
        const labels = { 'app.kubernetes.io/name': name };
        await cluster.service(watched, { name, labels, ports: [{ port: KINDS[name], name: 'http' }] });
      } else if (change) {
        there.set(name, times + 1);
        const annotations = {
          'kubernaut.io/toolset': 'true',
          'kubernaut.io/toolset-description': `Number ${times + 1}`,
        };
        await cluster.admin.patch(path(name), { metadata: { annotations } });
      } else {
        there.delete(name);
        await cluster.admin.delete(path(name));
      }
    },
  };
}

test(`${STEPS} random steps: overrides are kept, and the published state follows from the inputs`, {
  timeout: SCALE * 300_000,
}, async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const steps = fc.sample(step, { numRuns: STEPS, seed });
  const given = await setting();
  const { cluster, watched, path } = given;
  // Steps take Services away on purpose, so a mass removal is held for the shortest time that there is.
  const env = { ...given.env, ...SELDOM, REVISION_HISTORY_LIMIT: String(LIMIT), REMOVAL_HOLD: '1s' };
  const { turn } = services(given);
  const model: Model = {
    overrides: undefined,
    broken: false,
    data: {},
    labels: {},
    holding: undefined,
    published: undefined,
  };
  let serve = serveInside(env);
  onTestFinished(() => serve.stop());
  const logs: string[] = [];
  let edits = 0;
  const again = async (): Promise<void> => {
    edits = 0;
    await serve.stop();
    logs.push(serve.log());
    serve = serveInside(env);
  };
  const patch = (body: unknown): Promise<unknown> => cluster.admin.patch(path, body);
  let lastRemoved = '';
  await turn('prometheus');
  await settled(given, env, model, 'the beginning');

  const take = async (taken: Step, number: number): Promise<void> => {
    switch (taken.do) {
      case 'service':
        return turn(taken.kind, taken.change);
      case 'overrides': {
        const meant: Record<string, string> = {
          'prometheus off': `tools:\n  prometheus.${watched}: { enabled: false }\r\n`,
          'loki named': `# ${number}\ntools:\n  loki.${watched}: { description: "Ours, ${number}" }\n`,
        };
        model.overrides = taken.text === undefined ? undefined : (meant[taken.text] ?? taken.text);
        model.broken = /perhaps|\[$/.test(model.overrides ?? '');
        await given.writeOverrides(model.overrides ?? null);
        return;
      }
      case 'edit':
        // One process reverts only so many in a short time.
        if (edits + taken.times > MANY_EDITS) await again();
        edits += taken.times;
        for (let time = 0; time < taken.times; time++) {
          // The same change again and again would be let be.
          const remove = taken.remove && lastRemoved !== taken.key && time === 0;
          lastRemoved = remove ? taken.key : '';
          await patch({ data: { [taken.key]: remove ? null : `edit ${number}, ${time}` } });
        }
        return;
      case 'foreign':
        if (taken.where === 'data') model.data = { ...model.data, [taken.key]: `${number}\r\n` };
        else model.labels = { ...model.labels, [taken.key]: `v${number}` };
        await patch({ data: model.data, metadata: { labels: model.labels } });
        return;
      case 'delete':
        model.data = {};
        model.labels = {};
        return cluster.admin.delete(path);
      case 'restart':
        await turn(taken.kind);
        if (taken.gone) {
          model.data = {};
          model.labels = {};
          await cluster.admin.delete(path);
        }
        await sleep(taken.after);
        return again();
      case 'rollback': {
        if (model.broken) return;
        // Of the older half, any may be pruned in the meantime.
        const kept = (await given.revisions()).slice(-Math.ceil(LIMIT / 2));
        const to = kept[taken.index % kept.length];
        if (to === undefined) return;
        const from = await inputsGive(given, env, model);
        const { 'overrides.yaml': _, ...documents } = to.data as Record<string, string> & typeof from;
        if (await isOff(given, model, documents, from))
          return expect(rollbackTo(env, to.revision)).rejects.toThrow(
            'contains items that are switched off now',
          );
        await rollbackTo(env, to.revision);
        model.holding = JSON.stringify(documents) === JSON.stringify(from) ? undefined : { from, documents };
        return;
      }
      case 'second':
        await turn(taken.kind);
        if (!model.broken) return serveOnce(env);
        // It publishes, and ends with the fault.
        return expect(serveOnce(env)).rejects.toMatchObject({ cause: expect.any(FindingsError) });
    }
  };

  for (const [number, taken] of steps.entries()) {
    const where = `seed ${seed}, step ${number}: ${JSON.stringify(taken)}`;
    try {
      await take(taken, number);
      await settled(given, env, model, where);
      if (number % 20 === 19) await given.still(250);
    } catch (error) {
      throw new Error(
        `${where}\n${steps
          .slice(Math.max(0, number - 5), number)
          .map((each) => JSON.stringify(each))
          .join('\n')}\n${serve.log().slice(-6_000)}`,
        { cause: error },
      );
    }
  }
  await given.still(1_000);
  logs.push(serve.log());
  expect(logs.join('')).not.toContain('stacktrace');

  // The real process agrees.
  const before = await given.read();
  await serve.stop();
  const real = startServe(env);
  await real.logged('discovery completed');
  expect((await given.still()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Documents, OVERRIDES_KEY } from '../../src/model/documents.ts';
import { contentHash } from '../../src/planning/content-hash.ts';
import { RESTORING_MANAGER, rollbackOf } from '../../src/planning/plan.ts';
import { DOCUMENT_KEYS, publishedDocuments } from '../fixtures/unit/toolset.ts';
import { BROKEN, documentsOf, Simulation } from './simulation.ts';

type Step =
  | { readonly do: 'inputs'; readonly inputs: number }
  | { readonly do: 'overrides'; readonly text: string | undefined }
  | { readonly do: 'edit'; readonly key: string; readonly text: string | undefined }
  | { readonly do: 'foreign'; readonly key: string; readonly value: string }
  | { readonly do: 'delete' }
  | { readonly do: 'restart' }
  | { readonly do: 'killed'; readonly after: number }
  | { readonly do: 'meanwhile'; readonly text: string }
  | { readonly do: 'rollback' }
  | { readonly do: 'other' };

const text = fc.oneof(
  fc.constantFrom('tools: {}\n', '# mine\r\ntools: {}   \n\n', '', `${BROKEN} {`, `${BROKEN} [`),
  fc.string({ maxLength: 8 }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('inputs' as const), inputs: fc.nat(12) }),
  fc.record({ do: fc.constant('overrides' as const), text: fc.option(text, { nil: undefined }) }),
  fc.record({
    do: fc.constant('edit' as const),
    key: fc.constantFrom(...DOCUMENT_KEYS),
    text: fc.option(text, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('foreign' as const),
    key: fc.constantFrom('notes.txt', 'other.yaml'),
    value: fc.string({ maxLength: 4 }),
  }),
  fc.constant({ do: 'delete' as const }),
  fc.constant({ do: 'restart' as const }),
  fc.record({ do: fc.constant('killed' as const), after: fc.nat(4) }),
  fc.record({ do: fc.constant('meanwhile' as const), text }),
  fc.constant({ do: 'rollback' as const }),
  fc.constant({ do: 'other' as const }),
);

/** Takes a run of steps, reconciling after each, and checks after each that nothing was lost and all is in step. */
function run(steps: readonly Step[]): void {
  const simulation = new Simulation();
  const { cluster } = simulation;
  let process = simulation.process();
  const second = simulation.process();
  let inputs = 1;
  let overrides: string | undefined;
  let foreign: Record<string, string> = {};
  /** While a rollback must hold: what the inputs gave then, and what was returned to. */
  let holding: { readonly from: string; readonly documents: Documents } | undefined;
  const isBroken = (): boolean => overrides?.startsWith(BROKEN) === true;
  const generated = (): Documents => documentsOf(inputs, isBroken() ? undefined : overrides);
  let lastGood: Documents | undefined;

  const settle = (): void => {
    for (let pass = 0; pass < 3; pass++) simulation.reconcile(process, inputs);
  };
  settle();
  for (const [index, taken] of steps.entries()) {
    const existed = cluster.live !== undefined;
    switch (taken.do) {
      case 'inputs':
        inputs = taken.inputs;
        break;
      case 'overrides': {
        overrides = taken.text;
        simulation.write((live) => {
          const { [OVERRIDES_KEY]: _, ...rest } = live.data;
          return { data: { ...rest, ...(overrides === undefined ? {} : { [OVERRIDES_KEY]: overrides }) } };
        });
        break;
      }
      case 'edit':
        simulation.write((live) => {
          const { [taken.key]: _, ...rest } = live.data;
          return { data: { ...rest, ...(taken.text === undefined ? {} : { [taken.key]: taken.text }) } };
        });
        break;
      case 'foreign':
        foreign = { ...foreign, [taken.key]: taken.value };
        simulation.write((live) => ({ data: { ...live.data, [taken.key]: taken.value } }));
        break;
      case 'delete':
        simulation.delete();
        foreign = {};
        break;
      case 'restart':
        process = simulation.process();
        break;
      case 'killed':
        simulation.delete();
        foreign = {};
        simulation.reconcile(process, inputs, taken.after);
        process = simulation.process();
        break;
      case 'meanwhile':
        // Somebody writes overrides between our reading and our writing.
        inputs += 1;
        simulation.reconcile(process, inputs, undefined, () => {
          overrides = taken.text;
          simulation.write((live) => ({ data: { ...live.data, [OVERRIDES_KEY]: taken.text } }));
        });
        break;
      case 'rollback':
        if (!isBroken()) {
          const documents = simulation.rollback();
          const from = contentHash(generated());
          // Repeated, it never returns to what it is from.
          if (documents !== undefined && holding !== undefined && cluster.live !== undefined)
            expect(contentHash(documents)).not.toBe(holding.from);
          if (documents !== undefined)
            holding = contentHash(documents) === from ? undefined : { from, documents };
        }
        break;
      case 'other':
        simulation.reconcile(second, inputs);
        break;
    }
    settle();
    const where = `step ${index}, ${JSON.stringify(taken)}, ${existed}`;
    const { live } = cluster;
    expect(live, where).toBeDefined();
    if (live === undefined) return;
    // What people wrote.
    expect(live.data[OVERRIDES_KEY], where).toBe(overrides);
    expect(live.data, where).toMatchObject(foreign);
    expect(live.managers, where).not.toContain(RESTORING_MANAGER);
    // What we publish: what the inputs give, or what a reason keeps.
    const documents = publishedDocuments(live);
    const broken = isBroken();
    if (!broken && holding?.from !== contentHash(generated())) holding = undefined;
    expect(documents, where).toBeDefined();
    if (documents === undefined) return;
    expect(live.annotations['kubernaut.io/content-hash'], where).toBe(contentHash(documents));
    expect(live.annotations['kubernaut.io/override-error'] !== undefined, where).toBe(broken);
    if (broken) expect(documents, where).toEqual(lastGood ?? documents);
    else {
      expect(documents, where).toEqual(holding?.documents ?? generated());
      expect(rollbackOf(live.annotations)?.from, where).toBe(holding?.from);
    }
    lastGood = documents;
    // Nothing left to do, and what is published can be returned to.
    const { version } = live;
    simulation.reconcile(process, inputs);
    expect(cluster.live?.version, where).toBe(version);
    expect(cluster.revisions.at(-1)?.documents, where).toEqual(documents);
    expect(cluster.revisions.at(-1)?.overrides, where).toBe(overrides);
    expect(simulation.strayRevisions, where).toEqual([]);
  }
}

test('10,000 random steps never lose user content, and the published documents follow', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 50 }), (steps) => {
      taken += steps.length;
      run(steps);
    }),
    { numRuns: 200 },
  );
  expect(taken).toBeGreaterThanOrEqual(10_000);
}, 300_000);

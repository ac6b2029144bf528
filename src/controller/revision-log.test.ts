import { describe, expect, test, vi } from 'vitest';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Problem } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import { ClusterError } from '../model/errors.ts';
import type { Content } from '../model/revision.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { Observed } from '../planning/observed.ts';
import { plan, rollbackAnnotations } from '../planning/plan.ts';
import { RevisionLog } from './revision-log.ts';

const { signal } = new AbortController();
const documents = (description: string): Documents => ({
  'toolset.json': `{ "tools": [], "note": "${description}" }\n`,
  'custom_toolset.yaml': 'toolsets: {}\n',
});
const DENIED = new ClusterError('controllerrevisions.apps is forbidden');

/** A log of a place in memory, and what it notes. */
function setup({ hasHistory = true } = {}) {
  const place = new MemoryPublisher();
  if (!hasHistory) Object.assign(place, { history: undefined });
  const list = hasHistory ? vi.spyOn(place.history, 'list') : vi.fn();
  const record = hasHistory ? vi.spyOn(place.history, 'record') : vi.fn();
  const notes: Problem[] = [];
  const note = (problem: Problem): void => void notes.push(problem);
  const log = new RevisionLog({ publisher: place, outputs: OUTPUTS, now: () => new Date(0) });
  /** Documents are published, by this process unless a test says otherwise. */
  const publish = (text: string, more: Parameters<MemoryPublisher['write']>[0] = {}): Observed => {
    const { annotations, labels } = plan(toolset(documents(text)), undefined, '1');
    place.write({ data: { ...documents(text) }, labels, annotations, ...more });
    return observed(place.live) as Observed;
  };
  return {
    place,
    list,
    record,
    notes,
    log,
    publish,
    listed: async (live: Observed | undefined): Promise<number[]> =>
      (await log.list(live, note, signal)).map(({ number }) => number),
    recorded: (text: string, live: Observed | undefined) =>
      log.record(toolset(documents(text)), live, note, signal),
    aborted: () => {
      const reason = new Error('stopped');
      return { reason, stopped: AbortSignal.abort(reason), note };
    },
  };
}

describe('the history is read', () => {
  test('once, while the published state is ours', async () => {
    const { publish, listed, recorded, list } = setup();
    const live = publish('a');
    await listed(live);
    await recorded('a', live);
    expect(await listed(live)).toEqual([1]);
    expect(list).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (live: Observed) => Observed | undefined]>([
    ['it was deleted', () => undefined],
    ['somebody edited it', (live) => ({ ...live, toolset: toolset(documents('edited')) })],
    ['a document is missing', ({ toolset: _, ...live }) => live as Observed],
  ])('again if %s', async (_, change) => {
    const { publish, listed, list } = setup();
    const live = publish('a');
    await listed(live);
    await listed(change(live));
    expect(list).toHaveBeenCalledTimes(2);
  });

  test('not at all if there is none', async () => {
    const { publish, listed, recorded, log } = setup({ hasHistory: false });
    const live = publish('a');
    expect(await listed(live)).toEqual([]);
    expect(log.hasRecorded).toBe(false);
    await recorded('a', live);
    expect(log.hasRecorded).toBe(true);
    expect(log.newest).toBeUndefined();
  });

  test('and keeps its known state if it cannot be read', async () => {
    const { publish, listed, recorded, list, notes, log } = setup();
    const live = publish('a');
    await listed(live);
    await recorded('a', live);
    list.mockRejectedValueOnce(DENIED);
    expect(await listed(undefined)).toEqual([1]);
    expect(log.fault).toBe(DENIED.message);
    expect(notes).toMatchObject([{ where: 'the place', what: expect.stringContaining(DENIED.message) }]);
  });
});

describe('the published state is recorded', () => {
  test('once, and again with another rollback', async () => {
    const { publish, recorded, record, log } = setup();
    const live = publish('a');
    for (const _ of ['first', 'second']) await recorded('a', live);
    expect(record).toHaveBeenCalledTimes(1);
    const annotations = { ...live.annotations, ...rollbackAnnotations({ to: 1, from: 'sha256:b' }) };
    await recorded('a', publish('a', { annotations }));
    expect(record).toHaveBeenCalledTimes(2);
    expect(record.mock.lastCall?.[0] as Content).toMatchObject({ rollback: { to: 1, from: 'sha256:b' } });
    expect(log.newest).toBe(1);
  });

  test.each<[string, (live: Observed) => Observed | undefined]>([
    ['it is not there any more', () => undefined],
    ['somebody wrote something else since', (live) => ({ ...live, toolset: toolset(documents('edited')) })],
    ['a document of it is missing', ({ toolset: _, ...live }) => live as Observed],
  ])('unless %s', async (_, change) => {
    const { publish, recorded, record, log } = setup();
    await recorded('a', change(publish('a')));
    expect(record).not.toHaveBeenCalled();
    expect(log.hasRecorded).toBe(false);
  });

  test('later, if that failed, and until then there is a fault', async () => {
    const { publish, recorded, record, notes, log } = setup();
    const live = publish('a');
    record.mockRejectedValueOnce(DENIED);
    await recorded('a', live);
    expect([log.fault, log.hasRecorded, notes.length]).toEqual([DENIED.message, false, 1]);
    await recorded('a', live);
    expect([log.fault, log.hasRecorded]).toEqual([undefined, true]);
  });
});

test('without permission there is one note per run, not one per request', async () => {
  const { publish, listed, recorded, list, record, notes } = setup();
  list.mockRejectedValue(DENIED);
  record.mockRejectedValue(DENIED);
  const live = publish('a');
  for (const runs of [1, 2]) {
    await listed(live);
    await recorded('a', live);
    expect(notes).toHaveLength(runs);
  }
});

test.each(['list', 'record'] as const)('other errors are thrown: %s', async (what) => {
  const it = setup();
  const live = it.publish('a');
  it[what].mockRejectedValue(new TypeError('a bug'));
  await expect(what === 'list' ? it.listed(live) : it.recorded('a', live)).rejects.toThrow('a bug');
});

test.each(['list', 'record'] as const)('an abort reports nothing else: %s', async (what) => {
  const it = setup();
  const live = it.publish('a');
  it[what].mockRejectedValue(DENIED);
  const { reason, stopped, note } = it.aborted();
  const doing =
    what === 'list'
      ? it.log.list(live, note, stopped)
      : it.log.record(toolset(documents('a')), live, note, stopped);
  await expect(doing).rejects.toBe(reason);
  expect(it.notes).toEqual([]);
});

import { expect, onTestFinished, test, vi } from 'vitest';
import { parts, place } from '../../../test/fixtures/unit/sharded-config-map.ts';

test('parts are watched while they exist: writes of others are reported, ours are not', async () => {
  const { api, publish, publisher, put, remove, stored, watches } = await place();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changed = vi.fn();
  await publish(parts(1));
  const watching = publisher.watch?.(changed, () => {}, stop.signal);
  await vi.waitFor(() => expect([...watches.keys()]).toEqual(['toolset']));
  await publish(parts(1, 2, 3));
  await vi.waitFor(() => expect([...watches.keys()].sort()).toEqual(['toolset', 'toolset-2', 'toolset-3']));
  watches.get('toolset-2')?.({ type: 'MODIFIED', object: stored.get('toolset-2') });
  put('toolset-3', { ...stored.get('toolset-3') });
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  remove('toolset-2');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  await publish(parts(1));
  expect(api.stored.size).toBe(1);
  await vi.waitFor(() => expect([...watches.keys()]).toEqual(['toolset']));
  stop.abort();
  await watching;
});

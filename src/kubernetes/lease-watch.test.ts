import { expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { watchLease } from './lease-watch.ts';

const lease = (spec: object | undefined, version: number) => ({
  metadata: { namespace: 'home', name: 'lease', resourceVersion: String(version) },
  ...(spec === undefined ? {} : { spec }),
});
const list = (...items: object[]) => ({ metadata: { resourceVersion: '1' }, items });

/** Watches a Lease of a scripted server. */
async function watched(answer: Answer) {
  const { kube, asked } = await kubeServer(answer);
  const stop = new AbortController();
  const [changed, failed, recovered] = [vi.fn(), vi.fn(), vi.fn()];
  const running = watchLease(
    kube,
    { namespace: 'home', name: 'lease' },
    { changed, failed, recovered },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { asked, changed, failed, recovered };
}

test('the state of a Lease, its changes, and its deletion are reported; a Lease may have no content', async () => {
  const { asked, changed, recovered, failed } = await watched((response, { watch }) => {
    if (!watch) return json(response, list(lease({ holderIdentity: 'a' }, 1)));
    const [first, second, third] = [lease({ holderIdentity: 'b' }, 2), lease(undefined, 3), lease({}, 4)];
    for (const [type, object] of [
      ['MODIFIED', first],
      ['MODIFIED', second],
      ['DELETED', third],
    ])
      response.write(`${JSON.stringify({ type, object })}\n`);
  });
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(4), { timeout: 10_000 });
  expect(changed.mock.calls).toEqual([
    [{ holderIdentity: 'a' }],
    [{ holderIdentity: 'b' }],
    [null],
    [undefined],
  ]);
  expect(recovered).toHaveBeenCalled();
  expect(failed).not.toHaveBeenCalled();
  // Other Leases of the namespace are not read.
  for (const { query } of asked) expect(query.get('fieldSelector')).toBe('metadata.name=lease');
});

test('a watch that fails is reported, and changes nothing', async () => {
  const { changed, failed, recovered } = await watched((response) => refuse(response, 403, 'Forbidden'));
  await vi.waitFor(() => expect(failed).toHaveBeenCalled(), { timeout: 10_000 });
  expect(failed.mock.calls[0]?.[0]).toMatchObject({ code: 403 });
  expect(changed).not.toHaveBeenCalled();
  expect(recovered).not.toHaveBeenCalled();
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { leaderBehindProxy, SOON, said, timed } from './election.ts';

describe('leadership is lost, with real processes', { timeout: 60_000 }, () => {
  test('a process that was paused for longer than its Lease writes nothing when it resumes', async () => {
    const { a, b, writes, loki, published, still } = await leaderBehindProxy();
    a.process.kill('SIGSTOP');
    const paused = timed(b.logged('became leader'));
    expect(await paused).toBeLessThan(SOON);
    await published(['prometheus']);
    await sleep(3_000);
    const before = await still();
    writes.length = 0;
    a.process.kill('SIGCONT');
    await a.logged('lost leadership: the Lease could not be renewed');
    await a.logged('following leader b_');
    await sleep(1_500);
    expect((await still()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    await loki();
    await published(['loki', 'prometheus']);
    await waitUntil('a sees Loki, too', () =>
      a.lines.some((line) => line.message === 'backend discovered' && line.service_type === 'loki'),
    );
    await sleep(1_500);
    expect(writes).toEqual([]);
  });

  test('a process that cannot renew stops before another one starts, even if its writes would succeed', async () => {
    const { cluster, path, a, b, writes, cutLeases, published, still } = await leaderBehindProxy();
    cutLeases(true);
    const took = timed(b.logged('became leader'));
    await a.logged('lost leadership: the Lease could not be renewed for 10 s');
    expect(said(b, 'became leader')).toBe(false);
    writes.length = 0;
    // A leader would revert this within moments, but there is none now.
    const edited = await cluster.admin.patch(path, { data: { 'toolset.json': '{"tools":[]}\n' } });
    await sleep(1_500);
    expect((await still()).metadata.resourceVersion).toBe(edited.metadata.resourceVersion);
    expect(await took).toBeLessThan(SOON);
    await published(['prometheus']);

    cutLeases(false);
    await a.logged('following leader b_');
    await sleep(1_000);
    expect(writes).toEqual([]);
    expect(a.lines.filter(({ message }) => message.includes('was not published'))).toEqual([]);
  });
});

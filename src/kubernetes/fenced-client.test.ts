import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { json, kubeServer } from '../../test/fixtures/unit/kube-server.ts';
import type { KubeClient } from './connection.ts';
import { fencedClient } from './fenced-client.ts';

const never = new AbortController().signal;

async function setting(leading: boolean, delay = 0) {
  const end = new AbortController();
  const lead = { leading, term: end.signal };
  const { kube, asked } = await kubeServer(async (response) => {
    await sleep(delay);
    json(response, {});
  });
  return { lead, end, asked, kube: fencedClient(kube, lead) };
}

describe('a client that writes only while this process leads', () => {
  test.for(['PUT', 'POST', 'PATCH', 'DELETE'] as const)('%s is not sent without a lead', async (method) => {
    const { kube, asked, lead } = await setting(false);
    await expect(kube.request({ method, path: '/x' }, never)).rejects.toThrow('nothing is written');
    expect(asked).toEqual([]);
    lead.leading = true;
    await kube.request({ method, path: '/x' }, never);
    expect(asked).toHaveLength(1);
  });

  test('reads do not require leadership', async () => {
    const { kube, end } = await setting(false);
    end.abort();
    expect(await kube.request({ path: '/x' }, never)).toEqual({});
  });

  test('a write in progress is aborted when leadership is lost', async () => {
    const { kube, end } = await setting(true, 2_000);
    setTimeout(() => end.abort(), 50);
    await expect(kube.request({ method: 'PATCH', path: '/x' }, never)).rejects.toThrow('another process');
  });

  test('an abort for another reason keeps its reason', async () => {
    const { kube } = await setting(true, 2_000);
    const stopped = kube.request({ method: 'PATCH', path: '/x' }, AbortSignal.timeout(50));
    await expect(stopped).rejects.not.toThrow('another process');
  });

  test('a failed request keeps its error, with and without leadership', async () => {
    const end = new AbortController();
    const stop = new AbortController();
    const request = async (): Promise<never> => {
      throw new Error('broken');
    };
    const kube = fencedClient({ request, server: 'the server' } as unknown as KubeClient, {
      leading: true,
      term: end.signal,
    });
    expect(kube.server).toBe('the server');
    await expect(kube.request({ method: 'PUT', path: '/x' }, stop.signal)).rejects.toThrow('broken');
    // Who was stopped hears no word of another process.
    stop.abort();
    end.abort();
    await expect(kube.request({ method: 'PUT', path: '/x' }, stop.signal)).rejects.toThrow('broken');
  });
});

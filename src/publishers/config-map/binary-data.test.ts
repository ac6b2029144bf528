/** `binaryData`, to which kubectl writes a file that is not UTF-8. */
import { describe, expect, test } from 'vitest';
import { JSON_FILE, parts, place } from '../../../test/fixtures/unit/sharded-config-map.ts';
import { observed } from '../../../test/fixtures/unit/toolset.ts';
import { encodingFault } from '../../model/binary-text.ts';
import { plan } from '../../planning/plan.ts';
import { refusal } from '../../planning/refusal.ts';
import { configMapPublisher } from './config-map-publisher.ts';

const { signal } = new AbortController();
const base64 = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('base64');
const OFF = 'tools:\n  loki.monitoring: { enabled: false } # für Team A\n';

async function published(binaryData: Record<string, string>) {
  const api = await place();
  await api.publish(parts(10));
  api.put('toolset', { ...api.stored.get('toolset'), binaryData });
  const live = await api.live();
  return { ...api, overrides: live?.data['overrides.yaml'] ?? '' };
}

describe('overrides.yaml in binaryData', () => {
  test('counts if it is UTF-8', async () => {
    const { overrides } = await published({ 'overrides.yaml': base64(OFF) });
    expect(overrides).toBe(OFF);
  });

  test('cannot be read if it is not, and says where', async () => {
    const { overrides } = await published({ 'overrides.yaml': base64(OFF, 'latin1') });
    expect(encodingFault(overrides)).toMatchObject({ line: 2, column: 42 });
  });

  test('comes back with a deleted ConfigMap, byte for byte and without an owner', async () => {
    const bytes = base64(OFF, 'latin1');
    const { overrides, stored, remove, kube } = await published({ 'overrides.yaml': bytes });
    remove('toolset');
    const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'toolset' });
    const wanted = { documents: parts(10), tools: [], overrides };
    await publisher.apply(
      plan(wanted, (await publisher.read(signal)) as undefined, '1'),
      new Date(0),
      signal,
    );
    expect(stored.get('toolset')?.binaryData).toEqual({ 'overrides.yaml': bytes });
    expect(stored.get('toolset')?.data).toEqual(parts(10));
    expect(stored.get('toolset')?.metadata.managedFields).toEqual([{ manager: 'dynamic-toolset' }]);
  });
});

describe('a generated document in binaryData', () => {
  const misplace = (api: Awaited<ReturnType<typeof place>>, name: string): void => {
    const { [JSON_FILE]: text = '', ...data } = api.stored.get(name)?.data ?? {};
    api.put(name, {
      ...api.stored.get(name),
      data,
      binaryData: { [JSON_FILE]: base64(text), 'a.png': 'AAAA' },
    });
  };

  test.for([
    ['toolset', 'data toolset.json'],
    ['toolset-2', 'data toolset.json#2'],
  ] as const)('of %s is a difference, and is moved to where agents read it', async ([name, change]) => {
    const api = await place();
    await api.publish(parts(10, 20));
    const before = api.stored.get(name);
    misplace(api, name);
    expect(await api.planned(parts(10, 20))).toMatchObject({ action: 'update', changes: [change] });
    await api.publish(parts(10, 20));
    expect(api.stored.get(name)).toMatchObject({ data: before?.data, binaryData: { 'a.png': 'AAAA' } });
    expect(api.stored.get(name)?.binaryData).not.toHaveProperty([JSON_FILE]);
    expect(api.stored.get(name)?.metadata.managedFields).toEqual(before?.metadata.managedFields);
    expect(await api.planned(parts(10, 20))).toMatchObject({ action: 'none' });
  });

  test('of others is left alone', async () => {
    const api = await place();
    api.put('toolset', { data: {}, binaryData: { [JSON_FILE]: 'AAAA' } });
    const publisher = configMapPublisher(api.kube, { namespace: 'ns', name: 'toolset' });
    expect(refusal(observed(await publisher.read(signal)), false)).toMatch(
      /it has toolset.json that somebody/,
    );
  });
});

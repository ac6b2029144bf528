import { expect, test, vi } from 'vitest';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { plan } from '../planning/plan.ts';
import { inUseNote } from '../planning/services-in-use.ts';
import { readLastPublished } from './last-published.ts';
import { publishedUse } from './published-use.ts';

const documents = (...names: string[]): Documents => ({
  'toolset.json': JSON.stringify({
    tools: names.map((name) => ({
      ...{ name, type: 'loki', endpoint: `http://${name}:3100`, description: 'Logs.' },
      ...{ namespace: 'obs', metadata: { service: name } },
    })),
  }),
  'custom_toolset.yaml': `toolsets: {}# ${names}\n`,
});
const published = (content: Documents, data: Readonly<Record<string, string>> = {}): Published => {
  const { documents: written, labels, annotations } = plan(toolset(content), undefined, '1');
  return { data: { ...written, ...data }, labels, annotations };
};
const revision = (number: number, content: Documents, overrides?: string): Revision => ({
  ...{ name: `r${number}`, number, created: '', documents: content, overrides, rollback: undefined },
});

const keyed = (name: string) => ({ cluster: HOME_CLUSTER, namespace: 'obs', name });

async function known(live: Published | undefined, list: () => Promise<readonly Revision[]>) {
  const history = { list: vi.fn(list), record: vi.fn() };
  const publisher = { read: async () => live, history };
  const last = await readLastPublished(publisher, OUTPUTS, new AbortController().signal);
  return { last, inUse: [...publishedUse(last).inUse].map((key) => String(key).split('/').at(-1)), history };
}
const history = async () => [revision(1, documents('old')), revision(2, documents('a', 'b'), 'tools: {}\n')];

test('of a ConfigMap that nobody changed, the history is not read', async () => {
  const { inUse, history: read } = await known(published(documents('c')), history);
  expect(inUse).toEqual(['c']);
  expect(read.list).not.toHaveBeenCalled();
});

test('of a deleted ConfigMap, backends and overrides come from the newest revision', async () => {
  const { last, inUse } = await known(undefined, history);
  expect(inUse).toEqual(['a', 'b']);
  expect(last?.data['overrides.yaml']).toBe('tools: {}\n');
});

test('of a deleted ConfigMap, what was in use without a tool of its own comes from the newest revision, too', async () => {
  const servicesInUse = inUseNote([{ ...{ tool: 'x.obs', others: [] }, service: keyed('x') }], []).text;
  const noted = async () => [
    revision(1, documents('old')),
    { ...revision(2, documents('a')), servicesInUse },
  ];
  expect((await known(undefined, noted)).inUse.sort()).toEqual(['a', 'x']);
  const none = async () => [{ ...revision(1, documents('old')), servicesInUse }, revision(2, documents('a'))];
  expect((await known(undefined, none)).inUse).toEqual(['a']);
});

test.each([
  ['changed', { 'toolset.json': documents('intruder')['toolset.json'] ?? '' }],
  ['emptied', { 'toolset.json': '' }],
])(
  'of a ConfigMap with %s documents, backends come from the history, and overrides from itself',
  async (_, data) => {
    const live = published(documents('a', 'b'), { ...data, 'overrides.yaml': '# mine\n' });
    const { last, inUse } = await known(live, history);
    expect(inUse).toEqual(['a', 'b']);
    expect(last?.data['overrides.yaml']).toBe('# mine\n');
  },
);

test('while a rollback holds, backends are those from before it, also if the ConfigMap was deleted', async () => {
  const [before, target] = [documents('a', 'b'), documents('stand-in')];
  const rollback = { to: 1, from: contentHash(before) };
  const { documents: data, labels, annotations } = plan({ ...toolset(target), rollback }, undefined, '1');
  const list = async () => [revision(1, before), { ...revision(2, target), rollback }];
  expect((await known({ data, labels, annotations }, list)).inUse).toEqual(['a', 'b']);
  expect((await known(undefined, list)).inUse).toEqual(['a', 'b']);
  const pruned = async () => [{ ...revision(2, target), rollback }];
  for (const left of [pruned, async () => []])
    expect((await known({ data, labels, annotations }, left)).inUse).toEqual(['stand-in']);
});

test('of a ConfigMap of somebody else, the history says nothing', async () => {
  const { inUse } = await known({ data: { ...documents('c') }, labels: {}, annotations: {} }, history);
  expect(inUse).toEqual(['c']);
});

test('without a readable history, what is there counts', async () => {
  const denied = () => Promise.reject(new Error('denied'));
  expect((await known(undefined, denied)).last).toBeUndefined();
  expect((await known(undefined, async () => [])).last).toBeUndefined();
  const changed = published(documents('a'), { 'toolset.json': documents('b')['toolset.json'] ?? '' });
  expect((await known(changed, denied)).inUse).toEqual(['b']);
});

import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { json, kubeServer, refuse } from '../../../../test/fixtures/unit/kube-server.ts';
import type { ConfigMap } from '../../../kubernetes/config-maps.ts';
import type { Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import type { HolmesFile } from '../merge/agent-file.ts';
import { EditMemory } from '../merge/edit-memory.ts';
import { mergeForAgent } from '../merge/merge.ts';
import { agentTokenProblem } from '../render/agent-token.ts';
import { contentOf } from './config-map-watch.ts';
import { holmesTarget } from './publisher.ts';

const { signal } = new AbortController();
const FILE = 'toolsets:\n  kubernetes/core:\n    enabled: true\n';

const HOLMES: HolmesFile = {
  write: (document) => stringify(document),
  fault: () => undefined,
  join: (generated, handWritten) => ({ document: mergePatch(generated, handWritten) as Mapping, notes: [] }),
  withoutDuplicates: (document) => ({ document, notes: [] }),
  learn: (patch) => patch,
};

/** HolmesGPT's Deployment and the ConfigMap that it mounts. */
async function holmes(configMap: Record<string, unknown> | undefined, settings = { credentials: {} }) {
  const applied: unknown[] = [];
  const state = { conflicts: 0 };
  /** Sends an event to the watch of the ConfigMap; `undefined` while there is none. */
  const events: { send?: (object: unknown) => void } = {};
  const { kube } = await kubeServer(async (response, { path, watch }, request) => {
    if (watch) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      events.send = (object) => response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
      return;
    }
    if (path.endsWith('/configmaps'))
      return json(response, { items: [configMap], metadata: { resourceVersion: '7' } });
    if (path.includes('/deployments/'))
      return json(response, {
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'holmes',
                  env: [{ name: 'IS_OPENSHIFT', value: 'True' }],
                  volumeMounts: [
                    {
                      name: 'v',
                      mountPath: '/etc/holmes/config/custom_toolset.yaml',
                      subPath: 'custom_toolset.yaml',
                    },
                  ],
                },
              ],
              volumes: [{ name: 'v', configMap: { name: 'toolsets' } }],
            },
          },
        },
      });
    if (request.method === 'GET')
      return configMap === undefined ? refuse(response, 404, 'NotFound') : json(response, configMap);
    const body = JSON.parse(await text(request));
    if (state.conflicts-- > 0) return refuse(response, 409, 'Conflict');
    applied.push(body);
    if (events.send !== undefined) {
      events.send(body);
      await sleep(50);
    }
    json(response, {});
  });
  const target = holmesTarget(kube, {
    memory: new EditMemory(new Map()),
    deployment: { namespace: 'ns', name: 'holmes' },
    published: { namespace: 'ours', name: 'published' },
    check: (pod) => agentTokenProblem(pod, settings),
    merge: async (offered, live, toolset, known) => mergeForAgent(offered, live, HOLMES, toolset, known),
  });
  return { applied, state, target, events };
}
const there = { metadata: { resourceVersion: '7', uid: 'u' }, data: {} };

test('the file is written for the state that was read', async () => {
  const { applied, target } = await holmes(there);
  expect(await target.sync(FILE, signal)).toMatchObject({
    direct: false,
    written: { target: 'ConfigMap ns/toolsets' },
  });
  expect(applied).toMatchObject([{ metadata: { name: 'toolsets', resourceVersion: '7', uid: 'u' } }]);
});

test('changes by others are reported; our own writes are not, also if their events arrive before the responses', async () => {
  const metadata = { name: 'toolsets', resourceVersion: '7', uid: 'u' };
  const live = { metadata, data: {} };
  const before = await holmes(live);
  await before.target.sync(FILE, signal);
  const [first] = before.applied as ConfigMap[];
  Object.assign(live, {
    metadata: { ...metadata, annotations: first?.metadata?.annotations },
    data: first?.data,
  });
  const { target, events, applied } = await holmes(live);
  const stop = new AbortController();
  const changed = vi.fn();
  const watching = target.watch?.({ changed, failed: () => {} }, stop.signal);
  // There is nothing to write.
  await target.sync(FILE, signal);
  await vi.waitFor(() => expect(events.send).toBeDefined());
  events.send?.(live);
  await target.sync(`${FILE}  bash:\n    enabled: true\n`, signal);
  expect(applied).toHaveLength(1);
  const data = { 'custom_toolset.yaml': 'of another client' };
  events.send?.({ metadata, data });
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  expect(changed.mock.calls).toEqual([[contentOf(data)]]);
  stop.abort();
  await watching;
});

test('an edit that began before the last writes is compared with the version that it began with', async () => {
  const configMap: { metadata: Record<string, unknown>; data: Record<string, string> } = {
    metadata: { resourceVersion: '7', uid: 'u' },
    data: {},
  };
  const { applied, target } = await holmes(configMap);
  const sync = async (file: string) => {
    const result = await target.sync(file, signal);
    const { metadata, data } = applied.at(-1) as typeof configMap;
    configMap.metadata = { ...configMap.metadata, annotations: metadata.annotations };
    configMap.data = data;
    return result;
  };
  const more = `${FILE}  prometheus/metrics:\n    enabled: true\n`;
  await sync(FILE);
  const edit = `${configMap.data['custom_toolset.yaml']}  bash:\n    enabled: false\n`;
  await sync(more);
  const second = `${configMap.data['custom_toolset.yaml']}  slab:\n    enabled: false\n`;
  configMap.data = { ...configMap.data, 'custom_toolset.yaml': edit };
  const unknown = { where: 'ConfigMap ns/toolsets', what: expect.stringContaining('is not known any more') };
  const saved = await sync(more);
  expect(saved).toMatchObject({ written: { learned: ['toolsets bash'] } });
  expect(saved).not.toMatchObject({ notes: expect.arrayContaining([expect.objectContaining(unknown)]) });
  configMap.data = { ...configMap.data, 'custom_toolset.yaml': second };
  expect(await sync(more)).toMatchObject({ written: { learned: ['toolsets slab'] } });
  expect(parse(configMap.data['custom_toolset.person.yaml'] ?? '')).toEqual({
    toolsets: { bash: { enabled: false }, slab: { enabled: false } },
  });
  const person = configMap.data['custom_toolset.person.yaml'] ?? '';
  configMap.data = { ...configMap.data, 'custom_toolset.yaml': edit.replace(/ {2}bash:[\s\S]*/, '') };
  expect((await sync(more)) as { notes: unknown }).toMatchObject({
    notes: expect.arrayContaining([
      {
        where: 'ConfigMap ns/toolsets',
        what: expect.stringMatching(
          /saved from an earlier version, with toolsets bash, toolsets slab as it was/,
        ),
        fix: expect.stringContaining('as it is now'),
      },
    ]),
  });
  configMap.data = { ...configMap.data, 'custom_toolset.person.yaml': '' };
  const undone = expect.stringContaining(
    'changed or removed toolsets bash, toolsets slab in custom_toolset.person.yaml',
  );
  const fix = expect.stringContaining('under the key custom_toolset.rejected.1.yaml');
  expect(await sync(more)).toMatchObject({
    notes: expect.arrayContaining([{ where: 'ConfigMap ns/toolsets', what: undone, fix }]),
  });
  configMap.data = { ...configMap.data, 'custom_toolset.person.yaml': person };
  await sync(more);
  // Another process knows only what it reads at its start.
  const other = await holmes(configMap);
  configMap.data = { ...configMap.data, 'custom_toolset.yaml': edit.replace('false', 'true') };
  expect(await other.target.sync(more, signal)).toMatchObject({
    notes: expect.arrayContaining([expect.objectContaining(unknown)]),
  });
});

test('a HolmesGPT that sends its own token to each Prometheus is reported, unless the settings prevent that', async () => {
  const { target } = await holmes(there);
  expect(await target.sync(FILE, signal)).toMatchObject({
    notes: [
      {
        where: 'Deployment ns/holmes',
        what: expect.stringContaining('has IS_OPENSHIFT'),
        fix: expect.any(String),
      },
    ],
  });
  const guarded = await holmes(there, { credentials: { 'a/b': { agentToken: true } } });
  expect(await guarded.target.sync(FILE, signal)).toMatchObject({ notes: [] });
});

test('an immutable ConfigMap is reported, with what to do, and not written', async () => {
  const { applied, target } = await holmes({ ...there, immutable: true });
  expect(await target.sync(FILE, signal)).toMatchObject({
    refused: { where: 'ConfigMap ns/toolsets', what: expect.stringContaining('immutable') },
  });
  expect(applied).toEqual([]);
});

test('a missing ConfigMap is reported', async () => {
  const { target } = await holmes(undefined);
  expect(await target.sync(FILE, signal)).toMatchObject({
    refused: { what: expect.stringContaining('not exist') },
  });
});

test('conflicts are retried a few times, and then fail, so that the follower tries again after a backoff', async () => {
  const { applied, state, target } = await holmes(there);
  state.conflicts = 3;
  expect(await target.sync(FILE, signal)).toHaveProperty('token');
  expect(applied).toHaveLength(1);
  state.conflicts = 100;
  await expect(target.sync(FILE, signal)).rejects.toThrow(
    /^ConfigMap ns\/toolsets was changed by others in each of 4 attempts to write it; if this lasts, /,
  );
});

describe('a file in binaryData', () => {
  const inBinary = (text: string, encoding: BufferEncoding = 'utf8') => ({
    ...there,
    binaryData: { 'custom_toolset.yaml': Buffer.from(text, encoding).toString('base64') },
  });
  const MINE = 'toolsets:\n  mine: {} # für uns\n';

  test('is hand-written like any other, and is moved in one request', async () => {
    const { applied, target } = await holmes(inBinary(MINE));
    expect(await target.sync(FILE, signal)).toHaveProperty('written');
    expect(applied).toMatchObject([
      { binaryData: { 'custom_toolset.yaml': null }, metadata: { resourceVersion: '7' } },
      { data: { 'custom_toolset.person.yaml': MINE } },
    ]);
  });

  test('that is not UTF-8 is reported, with what to do, and not overwritten', async () => {
    const { applied, target } = await holmes(inBinary(MINE, 'latin1'));
    expect(await target.sync(FILE, signal)).toMatchObject({
      refused: {
        what: expect.stringMatching(
          /custom_toolset.yaml cannot be read: line 2, column 15: .* save it as UTF-8/,
        ),
      },
    });
    expect(applied).toEqual([]);
  });
});

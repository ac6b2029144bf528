import { describe, expect, test } from 'vitest';
import { toolset } from '../../../test/fixtures/unit/toolset.ts';
import type { ConfigMap } from '../../kubernetes/config-maps.ts';
import { ApiStatusError } from '../../kubernetes/status.ts';
import type { Plan } from '../../model/published.ts';
import { plan } from '../../planning/plan.ts';
import {
  isOurShard,
  isOwnerRefused,
  nameLabel,
  ownedConfigMap,
  ownedConfigMaps,
  restoredConfigMap,
  SHARD_MANAGER,
  shardTarget,
  stateOf,
  withState,
} from './config-map.ts';

const TARGET = { namespace: 'ns', name: 'toolset' };
const OWNER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'd' };
const NOW = new Date('2026-01-02T03:04:05.678Z');
const documents = { 'toolset.json': '{"tools":[]}\n', 'custom_toolset.yaml': 'toolsets: {}\n' };
const PLAN: Plan = plan(toolset(documents), undefined, '1');
const DIVIDED: Plan = { ...PLAN, documents: { ...documents, 'toolset.json#2': '{"tools":[]}\n' } };

test('the ConfigMap has the planned content, and the time of the change in seconds', () => {
  expect(ownedConfigMap(TARGET, PLAN, NOW)).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...TARGET,
      labels: PLAN.labels,
      annotations: { ...PLAN.annotations, 'kubernaut.io/last-updated': '2026-01-02T03:04:05Z' },
    },
    data: documents,
  });
  expect(ownedConfigMap(TARGET, PLAN, undefined).metadata.annotations).toEqual(PLAN.annotations);
});

test('each ConfigMap of it has the owner', () => {
  const owners = (owner?: typeof OWNER) =>
    ownedConfigMaps(TARGET, owner === undefined ? DIVIDED : { ...DIVIDED, owner }, NOW).map(
      ({ metadata }) => metadata.ownerReferences,
    );
  expect(owners(OWNER)).toEqual([[OWNER], [OWNER]]);
  expect(owners()).toEqual([undefined, undefined]);
});

test('divided documents are in numbered ConfigMaps, the first in the one without a number', () => {
  const [main, second, ...more] = ownedConfigMaps(TARGET, DIVIDED, NOW);
  expect(main).toEqual(ownedConfigMap(TARGET, DIVIDED, NOW));
  expect(second?.metadata).toMatchObject({ namespace: 'ns', name: 'toolset-2' });
  expect(Object.values(second?.data ?? {})).toEqual(['{"tools":[]}\n']);
  expect(more).toEqual([]);
  expect(shardTarget(TARGET, 1)).toEqual(TARGET);
});

test('overrides are added to our fields, and a state to the identity', () => {
  const object = ownedConfigMap(TARGET, PLAN, NOW);
  expect(restoredConfigMap(object, '# mine')).toEqual({
    ...object,
    data: { ...documents, 'overrides.yaml': '# mine' },
  });
  const state = { resourceVersion: '1', uid: 'u' };
  expect(withState(object, state)).toEqual({ ...object, metadata: { ...object.metadata, ...state } });
  expect(withState(object, undefined)).toEqual(object);
});

test('a state needs both version and uid', () => {
  expect(stateOf({ metadata: { resourceVersion: '1', uid: 'u' } })).toEqual({
    resourceVersion: '1',
    uid: 'u',
  });
  expect(stateOf({ metadata: { uid: 'u' } })).toBeUndefined();
  expect(stateOf({ metadata: { resourceVersion: '1' } })).toBeUndefined();
  expect(stateOf()).toBeUndefined();
});

test('a name is a label if it fits, otherwise truncated, with a hash that distinguishes it', () => {
  const [fits, long] = ['a'.repeat(63), 'a'.repeat(64)];
  expect(nameLabel(fits)).toBe(fits);
  expect(nameLabel(long)).toMatch(/^a{40}-[0-9a-f]{12}$/);
  expect(nameLabel(`${long}b`)).not.toBe(nameLabel(long));
  expect(nameLabel(`${'a'.repeat(39)}.${'b'.repeat(40)}`)).toMatch(/^a{39}-[0-9a-f]{12}$/);
});

describe('a ConfigMap with the name of a part is ours', () => {
  const [, shard] = ownedConfigMaps(TARGET, DIVIDED, NOW);
  const managed = (...managers: string[]) => ({ managedFields: managers.map((manager) => ({ manager })) });

  test.each<[string, ConfigMap, boolean]>([
    ['by its labels', { metadata: { labels: { ...shard?.metadata.labels, more: 'x' } } }, true],
    ['by its field manager', { metadata: managed('helm', SHARD_MANAGER) }, true],
    [
      'not with the labels of another part',
      { metadata: { labels: { ...shard?.metadata.labels, 'kubernaut.io/configmap': 'other' } } },
      false,
    ],
    ['not by another manager', { metadata: managed('helm') }, false],
    ['not without any', {}, false],
  ])('%s', (_, object, expected) => {
    expect(isOurShard(TARGET, 2, object)).toBe(expected);
    expect(isOurShard(TARGET, 3, object)).toBe(object.metadata?.managedFields !== undefined && expected);
  });
});

test('an owner is rejected with 403 and a word on it', () => {
  const error = (code: number, message: string) => new ApiStatusError(code, message);
  expect(isOwnerRefused(error(403, 'cannot set an ownerRef'))).toBe(true);
  expect(isOwnerRefused(error(403, 'forbidden'))).toBe(false);
  expect(isOwnerRefused(error(500, 'cannot set an ownerRef'))).toBe(false);
  expect(isOwnerRefused(new Error('ownerRef'))).toBe(false);
});

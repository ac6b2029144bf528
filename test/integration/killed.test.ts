import { describe, expect, test } from 'vitest';
import { start } from './command.ts';
import { generated, serveOnce } from './inside.ts';
import { killingProxy } from './killing-proxy.ts';
import { RESTORER, SELDOM, type Setting, setting, toolNames } from './setting.ts';

const MINE = '# mine\r\n\r\ntools: {}   \n\n';

interface Publication {
  readonly what: string;
  /** What is there before. */
  readonly before: (given: Setting, env: Setting['env']) => Promise<unknown>;
  /** The command that is killed. */
  readonly args: readonly string[];
  /** How many requests it makes that change something, at least. */
  readonly changes: number;
  readonly overrides: string | undefined;
}

const publishedTwice = async (given: Setting, env: Setting['env']): Promise<void> => {
  await given.prometheus();
  await serveOnce(env);
  await given.writeOverrides(MINE);
  await given.loki();
  await serveOnce(env);
};
const deleted = async (given: Setting, env: Setting['env']): Promise<void> => {
  await publishedTwice(given, env);
  await given.cluster.admin.delete(given.path);
};
const once = ['serve', '--once'];

const PUBLICATIONS: readonly Publication[] = [
  {
    what: 'the first one',
    before: (given) => given.prometheus(),
    args: once,
    changes: 2,
    overrides: undefined,
  },
  {
    what: 'an update',
    before: async (given, env) => {
      await publishedTwice(given, env);
      await given.removeService('prometheus');
    },
    args: once,
    changes: 2,
    overrides: MINE,
  },
  { what: 'one after the ConfigMap was deleted', before: deleted, args: once, changes: 3, overrides: MINE },
  {
    what: 'a rollback',
    before: publishedTwice,
    args: ['rollback', '--to', '1'],
    changes: 2,
    overrides: MINE,
  },
  {
    what: 'a rollback after the ConfigMap was deleted',
    before: deleted,
    args: ['rollback', '--to', '1'],
    changes: 4,
    overrides: MINE,
  },
  {
    what: 'the end of a rollback',
    before: async (given, env) => {
      await publishedTwice(given, env);
      expect((await start(env, 'rollback', '--to', '1').ended).code).toBe(0);
      await given.removeService('prometheus');
    },
    args: once,
    changes: 2,
    overrides: MINE,
  },
];

/** Kills the command at one moment and starts a new serve. @returns whether it lived until then */
async function killedAt(
  publication: Publication,
  request: number,
  when: 'before' | 'after',
): Promise<boolean> {
  const given = await setting();
  const { cluster, kubeconfig, read, revisions } = given;
  const env = { ...given.env, ...SELDOM };
  await publication.before(given, env);
  const proxy = await killingProxy(cluster.connection, kubeconfig);
  const victim = start({ ...env, KUBECONFIG: proxy.kubeconfig }, ...publication.args);
  proxy.arm({ request, when }, victim.kill);
  const { code, stderr } = await victim.ended;
  if (code !== null) {
    expect(code, stderr).toBe(0);
    expect(request).toBeGreaterThan(publication.changes);
    return false;
  }
  expect(proxy.changes()).toBe(request);

  await serveOnce(env);
  const live = await read();
  const { 'overrides.yaml': overrides, ...documents } = live.data;
  expect(overrides).toBe(publication.overrides);
  const rolledBackTo = live.metadata.annotations['kubernaut.io/rolled-back-to'];
  if (rolledBackTo === undefined) expect(documents).toEqual(await generated(env));
  else {
    expect(publication.args).toContain('rollback');
    expect(toolNames({ data: documents })).toEqual([`prometheus.${given.watched}`]);
  }
  const kept = await revisions();
  expect(kept.at(-1)?.data).toEqual(live.data);
  expect(kept.at(-1)?.metadata.annotations?.['kubernaut.io/rolled-back-to']).toBe(rolledBackTo);
  expect(new Set(kept.map(({ revision }) => revision)).size).toBe(kept.length);
  expect(new Set(kept.map(({ data }) => JSON.stringify(data))).size).toBe(kept.length);
  const managers = live.metadata.managedFields.map(({ manager }) => manager);
  expect(managers).not.toContain(RESTORER);
  // Nothing is left to do.
  await serveOnce(env);
  expect((await read()).metadata.resourceVersion).toBe(live.metadata.resourceVersion);
  return true;
}

describe('killed before and after each request that changes something', { timeout: 120_000 }, () => {
  test.for(PUBLICATIONS)('$what: the next serve brings it to its end', async (publication) => {
    for (let request = 1; ; request++) {
      const lived = await killedAt(publication, request, 'before');
      if (!lived) break;
      await killedAt(publication, request, 'after');
    }
  });
});

import { expect } from 'vitest';
import { start } from './command.ts';
import { generated, serveOnce } from './inside.ts';
import { killingProxy } from './killing-proxy.ts';
import { RESTORER, SELDOM, type Setting, setting, toolNames } from './setting.ts';

/** Overrides that a person wrote, to the last byte. */
export const MINE = '# mine\r\n\r\ntools: {}   \n\n';

/** What is published, and killed on the way. */
export interface Publication {
  readonly what: string;
  /** What is there before. */
  readonly before: (given: Setting, env: Setting['env']) => Promise<unknown>;
  /** The command that is killed. */
  readonly args: readonly string[];
  /** How many requests it makes that change something, at least. */
  readonly changes: number;
  readonly overrides: string | undefined;
}

export const publishedTwice = async (given: Setting, env: Setting['env']): Promise<void> => {
  await given.prometheus();
  await serveOnce(env);
  await given.writeOverrides(MINE);
  await given.loki();
  await serveOnce(env);
};
export const deleted = async (given: Setting, env: Setting['env']): Promise<void> => {
  await publishedTwice(given, env);
  await given.cluster.admin.delete(given.path);
};

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

/** Kills it before and after each request that changes something, until it lives to its end. */
export async function killedAtEach(publication: Publication): Promise<void> {
  for (let request = 1; ; request++) {
    const [lived] = await Promise.all([
      killedAt(publication, request, 'before'),
      killedAt(publication, request, 'after'),
    ]);
    if (!lived) break;
  }
}

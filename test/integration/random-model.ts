import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { documentsOf, generated } from './inside.ts';
import { RESTORER, type Setting } from './setting.ts';

type Documents = ReturnType<typeof documentsOf>;

/** What must be there, however it came to be. */
export interface Model {
  /** What a person wrote last, or nothing. */
  overrides: string | undefined;
  /** It cannot be read. */
  broken: boolean;
  data: Record<string, string>;
  labels: Record<string, string>;
  /** While a rollback holds: what the inputs gave then, and what it returned to. */
  holding: { readonly from: Documents; readonly documents: Documents } | undefined;
  /** What was published when it was quiet last. */
  published: Documents | undefined;
}

const same = (a: Documents, b: Documents): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What the inputs of a model give, overrides included. */
export async function inputsGive(given: Setting, env: Setting['env'], model: Model): Promise<Documents> {
  if (model.overrides === undefined) return generated(env);
  const path = join(given.cluster.connection.folder, `${given.target}-overrides.yaml`);
  await writeFile(path, model.overrides);
  return generated(env, path);
}

/** The names of the tools of documents. */
const toolsOf = (documents: Documents): readonly string[] =>
  (JSON.parse(documents['toolset.json'] ?? '{"tools":[]}') as { tools: { name: string }[] }).tools.map(
    ({ name }) => name,
  );

/**
 * Whether overrides of a model switch off something in documents. Only Prometheus is ever switched off. As soon as the history
 * no longer says what it was, whatever is not published now may be another name of it.
 */
export async function isOff(
  given: Setting,
  { overrides }: Model,
  documents: Documents,
  from: Documents,
): Promise<boolean> {
  if (overrides?.includes('enabled: false') !== true) return false;
  const off = `prometheus.${given.watched}`;
  const tools = toolsOf(documents);
  if (tools.includes(off)) return true;
  const now = new Set(toolsOf(from));
  const known = (await given.revisions()).flatMap(({ data }) => toolsOf(data as Documents));
  return !known.includes(off) && tools.some((name) => !now.has(name));
}

/** Waits until all is as a model says. @throws with what is not */
export async function settled(
  given: Setting,
  env: Setting['env'],
  model: Model,
  where: string,
): Promise<void> {
  const inputs = model.broken ? undefined : await inputsGive(given, env, model);
  if (inputs !== undefined && model.holding !== undefined && !same(inputs, model.holding.from))
    model.holding = undefined;
  const { holding } = model;
  if (!model.broken && holding !== undefined && (await isOff(given, model, holding.documents, holding.from)))
    model.holding = undefined;
  const documents = inputs === undefined ? model.published : (model.holding?.documents ?? inputs);
  const check = async (): Promise<true> => {
    const live = await given.read();
    const {
      'toolset.json': _json,
      'custom_toolset.yaml': _yaml,
      'overrides.yaml': overrides,
      ...data
    } = live.data;
    expect(overrides, where).toBe(model.overrides);
    expect(data, where).toEqual(model.data);
    expect(live.metadata.labels, where).toMatchObject(model.labels);
    expect(documentsOf(live), where).toEqual(documents);
    const { annotations, managedFields } = live.metadata;
    expect(annotations['kubernaut.io/override-error'] !== undefined, where).toBe(model.broken);
    expect(annotations['kubernaut.io/rolled-back-to'] !== undefined, where).toBe(model.holding !== undefined);
    expect(
      managedFields.map(({ manager }) => manager),
      where,
    ).not.toContain(RESTORER);
    const newest = (await given.revisions()).at(-1);
    expect(newest?.data, where).toEqual({
      ...documents,
      ...(model.overrides === undefined ? {} : { 'overrides.yaml': model.overrides }),
    });
    return true;
  };
  await waitUntil('all is as it must be', check, { limitMs: 8_000, everyMs: 25 });
  model.published = documents;
}

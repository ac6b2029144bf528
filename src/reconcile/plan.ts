import { createHash } from 'node:crypto';
import { DOCUMENT_KEYS, type Generated } from '../model/documents.ts';
import type { Plan, Published } from '../model/published.ts';

const DATA_PREFIX = 'kubernaut.io/';

/** When the documents last changed, RFC 3339 in UTC. */
export const LAST_UPDATED = `${DATA_PREFIX}last-updated`;

function contentHash(documents: Plan['documents']): string {
  const hash = createHash('sha256');
  for (const key of DOCUMENT_KEYS) hash.update(`${key}\0${documents[key]}\0`);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Decides what has to change so that what is published is what was generated. Pure. Keys, labels and annotations that
 * are not ours do not count, and `overrides.yaml` is never ours.
 * @param live what is published now, or nothing
 */
export function plan(generated: Generated, live: Published | undefined, version: string): Plan {
  const { documents } = generated;
  const labels = {
    'app.kubernetes.io/name': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-config',
    'app.kubernetes.io/managed-by': 'dynamic-toolset',
    'app.kubernetes.io/version': version,
  };
  const annotations = {
    [`${DATA_PREFIX}discovered-services`]: String(generated.tools),
    [`${DATA_PREFIX}content-hash`]: contentHash(documents),
  };
  const differing = (
    what: string,
    wanted: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>> = {},
  ): string[] =>
    Object.entries(wanted)
      .filter(([key, value]) => now[key] !== value)
      .map(([key]) => `${what} ${key}`);
  const changes = [
    ...differing('data', documents, live?.data),
    ...differing('label', labels, live?.labels),
    ...differing('annotation', annotations, live?.annotations),
  ];
  const action = live === undefined ? 'create' : changes.length > 0 ? 'update' : 'none';
  return { action, documents, labels, annotations, changes };
}

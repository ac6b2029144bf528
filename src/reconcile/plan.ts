import { createHash } from 'node:crypto';
import { DOCUMENT_KEYS, type Documents, type Generated } from '../model/documents.ts';
import type { Plan, Published } from '../model/published.ts';

const DATA_PREFIX = 'kubernaut.io/';

/** When the documents last changed, RFC 3339 in UTC. */
export const LAST_UPDATED = `${DATA_PREFIX}last-updated`;

/** How many tools there are. */
const SERVICES = `${DATA_PREFIX}discovered-services`;

/** What is wrong with the overrides, while something is. */
const OVERRIDE_ERROR = `${DATA_PREFIX}override-error`;

/** Annotations that are ours and not always there. */
export const OWN_ANNOTATIONS: readonly string[] = [OVERRIDE_ERROR];

/** A reason to keep what is published. */
export interface Hold {
  /** What is wrong with the overrides. */
  readonly overrideError?: string;
  /** What was published last; without it, what is found published. */
  readonly documents?: Documents;
}

/** The documents that are published now, if all of them are there. */
function publishedDocuments(live: Published | undefined): Documents | undefined {
  const [json, yaml] = DOCUMENT_KEYS.map((key) => live?.data[key]);
  return json === undefined || yaml === undefined
    ? undefined
    : { 'toolset.json': json, 'custom_toolset.yaml': yaml };
}

function contentHash(documents: Plan['documents']): string {
  const hash = createHash('sha256');
  for (const key of DOCUMENT_KEYS) hash.update(`${key}\0${documents[key]}\0`);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Decides what has to change so that what is published is what was generated. Pure. Keys, labels and annotations that
 * are not ours do not count, and `overrides.yaml` is never ours.
 * @param live what is published now, or nothing
 * @param hold why the documents that are published stay as they are, if they do
 */
export function plan(generated: Generated, live: Published | undefined, version: string, hold?: Hold): Plan {
  const kept = hold === undefined ? undefined : (hold.documents ?? publishedDocuments(live));
  const overrideError = hold?.overrideError;
  const documents = kept ?? generated.documents;
  const labels = {
    'app.kubernetes.io/name': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-config',
    'app.kubernetes.io/managed-by': 'dynamic-toolset',
    'app.kubernetes.io/version': version,
  };
  const annotations = {
    [SERVICES]: (kept === undefined ? undefined : live?.annotations[SERVICES]) ?? String(generated.tools),
    ...(overrideError === undefined ? {} : { [OVERRIDE_ERROR]: overrideError }),
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
    ...OWN_ANNOTATIONS.filter(
      (key) => live?.annotations[key] !== undefined && !Object.hasOwn(annotations, key),
    ).map((key) => `annotation ${key}`),
  ];
  const action = live === undefined ? 'create' : changes.length > 0 ? 'update' : 'none';
  return { action, documents, labels, annotations, changes };
}

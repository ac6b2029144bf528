import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { builtInDetectors } from '../../src/config/detector-files.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import type { Service } from '../../src/model/service.ts';
import { parseManifest } from '../../src/sources/manifest-text.ts';

/** The rules that the program comes with. */
export const { rules } = makeRules(builtInDetectors());

/** How detection is asked in these tests. */
export const DETECTION = { clusterDomain: 'cluster.local', allowedHosts: [], allowExternalNames: false };

/** One backend that must be found, as `expected.yaml` has it. */
export interface ExpectedBackend {
  readonly type: string;
  readonly port: number;
  readonly scheme: string;
  readonly path?: string;
  /** How MCP is spoken, where it is not the usual way. */
  readonly mode?: string;
  /** The name of its tool, where its owner wants one. */
  readonly tool?: string;
  /** It counts only with a proof. */
  readonly certainty?: 'hint';
}

const FOLDER = join(import.meta.dirname, '../fixtures/detectors');

/** The folders of fixtures: one for each detector. */
export const fixtureTypes = readdirSync(FOLDER).sort();

/** The Services of a fixture folder by namespace, which is one installation each. */
export function servicesOf(type: string): Map<string, Service[]> {
  const file = join(FOLDER, type, 'services.yaml');
  const { services, problems } = parseManifest(readFileSync(file, 'utf8'), file, 'default');
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return Map.groupBy(
    services.map(({ service }) => service),
    ({ namespace }) => namespace,
  );
}

/** What must be found in a fixture folder: by namespace and name of the Service. */
export function expectedOf(type: string): Record<string, Record<string, ExpectedBackend>> {
  return parse(readFileSync(join(FOLDER, type, 'expected.yaml'), 'utf8')) as Record<
    string,
    Record<string, ExpectedBackend>
  >;
}

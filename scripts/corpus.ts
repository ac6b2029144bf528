/**
 * Scores detection against a corpus of real Services: `npm run corpus -- FOLDER`.
 * Each case is a folder with `services.yaml` and `truth.yaml` (`expected`: name to type, port and scheme; `unscored`:
 * names that do not count). A backend is found when type, port and http or https agree; anything else is wrong, except backends of
 * types of which no truth says anything.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { builtInDetectors } from '../src/config/detector-files.ts';
import { detect } from '../src/detection/detect.ts';
import { makeRules } from '../src/detection/make-rules.ts';
import { type Endpoint, endpointUrl } from '../src/model/discovery.ts';
import { parseManifest } from '../src/sources/manifest-text.ts';

interface Truth {
  readonly expected: Readonly<Record<string, { type: string; port: number; scheme: string }>> | null;
  readonly unscored?: readonly string[];
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('error: name the folder of the corpus: npm run corpus -- FOLDER');
  process.exit(2);
}
const { rules } = makeRules(builtInDetectors());
const tally = new Map<string, { found: number; of: number }>();
let wrong = 0;
const isHttps = (endpoint: Endpoint): boolean => endpoint.scheme === 'https';

const truths = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(({ name }) => ({
    name,
    truth: parse(readFileSync(join(folder, name, 'truth.yaml'), 'utf8')) as Truth,
  }));
const scored = new Set(
  truths.flatMap(({ truth }) => Object.values(truth.expected ?? {}).map(({ type }) => type)),
);
let others = 0;

for (const { name: entry, truth } of truths) {
  const file = join(folder, entry, 'services.yaml');
  const { services } = parseManifest(readFileSync(file, 'utf8'), file, 'default');
  const { candidates } = detect(
    services.map(({ service }) => service),
    rules,
    { clusterDomain: 'cluster.local', allowedHosts: [], allowExternalNames: false },
  );
  const missing = new Map(Object.entries(truth.expected ?? {}));
  for (const { type } of missing.values()) {
    const count = tally.get(type) ?? { found: 0, of: 0 };
    tally.set(type, { ...count, of: count.of + 1 });
  }
  for (const { service, type, endpoint, certainty } of candidates) {
    // A hint counts only with a proof, and there are no probes here.
    if (certainty === 'hint') continue;
    if (truth.unscored?.includes(service.name) === true) continue;
    if (!scored.has(type)) {
      others += 1;
      continue;
    }
    const right = missing.get(service.name);
    if (
      right?.type === type &&
      right.port === endpoint.port &&
      (right.scheme === 'https') === isHttps(endpoint)
    ) {
      missing.delete(service.name);
      const count = tally.get(type) ?? { found: 0, of: 0 };
      tally.set(type, { ...count, found: count.found + 1 });
    } else {
      wrong += 1;
      console.log(`${entry}: wrong  ${service.name} as ${type} at ${endpointUrl(endpoint)}`);
    }
  }
  for (const [name, { type, scheme, port }] of missing)
    console.log(`${entry}: missed ${name} (${type} ${scheme} ${port})`);
}
const types = [...tally].sort(([a], [b]) => (a < b ? -1 : 1));
console.log(types.map(([type, { found, of }]) => `${type}=${found}/${of}`).join(' '));
const found = types.reduce((sum, [, count]) => sum + count.found, 0);
const of = types.reduce((sum, [, count]) => sum + count.of, 0);
console.log(
  `found ${found} of ${of}, wrong ${wrong}${others === 0 ? '' : `, of types that are not scored ${others}`}`,
);
process.exitCode = found === of && wrong === 0 ? 0 : 1;

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolKinds } from '../../src/controller/pass.ts';
import { detect } from '../../src/detection/detect.ts';
import type { Credential, Credentials } from '../../src/model/credentials.ts';
import type { DiscoveredService, Problem, Verdict } from '../../src/model/discovery.ts';
import { NO_OVERRIDES, type Overrides } from '../../src/model/overrides.ts';
import type { Service } from '../../src/model/service.ts';
import { type Tenants, tenantsByBackend } from '../../src/model/tenants.ts';
import { generate } from '../../src/outputs/generate.ts';
import { entryOf } from '../../src/outputs/holmesgpt/render/mapping.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { parseManifest } from '../../src/sources/manifest-text.ts';
import { DETECTION, fixtureTypes, rules, servicesOf } from '../detectors/fixtures.ts';
import { offered, service } from '../fixtures/unit/service.ts';
import { overridesOf, WORDS } from './overrides.ts';

/** Recorded clusters that lie beside the repository; the fixtures here cover the same rules. */
const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
export const corpusFolders = existsSync(CORPUS) ? readdirSync(CORPUS).sort() : [];

const VERDICT: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const kinds = toolKinds(rules);

/** One kind of credentials for all types. */
const forAll = (credential: Credential): Credentials =>
  Object.fromEntries([...rules.byType.keys()].map((type) => [type, { ...credential, namespaces: ['*'] }]));
const CREDENTIALS: Readonly<Record<string, Credentials>> = {
  'no credentials': {},
  'an API key': forAll({ apiKey: 'A_KEY' }),
  'a bearer token': forAll({ bearerToken: 'A_TOKEN' }),
  'a login': forAll({ username: 'A_USER', password: 'A_PASSWORD' }),
  'a header': forAll({ headers: { 'X-Scope-OrgID': 'A_TENANT' } }),
  'a token and headers': forAll({ bearerToken: 'A_TOKEN', headers: { 'X-A': 'A', 'X-B': 'B' } }),
};
const VERSIONS = ['0.20', '0.32'] as const;

const found = (services: readonly Service[]): DiscoveredService[] =>
  detect(services, rules, DETECTION).candidates.map((candidate) => ({ ...candidate, verdict: VERDICT }));

const installations = (services: readonly Service[], many: number): Service[] =>
  services.flatMap((each) =>
    Array.from({ length: many }, (_, index) => ({ ...each, namespace: `${each.namespace}-${index}` })),
  );

const everything = fixtureTypes.flatMap((type) => [...servicesOf(type).values()].flat());
const everythingFound = found(everything);

const hostile = WORDS.flatMap((word, index) => [
  offered(`shop-${index}`, { description: word, name: word }),
  offered(`jaeger-${index}`, { type: 'jaeger', description: word, 'health-path': `/${word}` }),
  service(`prometheus-${index}`, {
    labels: { app: 'prometheus', 'app.kubernetes.io/instance': word },
    ports: [9090],
    annotations: { description: word },
  }),
  service(`weather-${index}`, {
    labels: { app: 'mcp-server' },
    ports: ['mcp:8000'],
    annotations: { 'mcp.description': word },
  }),
]);

export interface Case {
  readonly text: string;
  readonly notes: readonly Problem[];
  readonly off: readonly string[];
  /** How many entries of people must not be merged. */
  readonly refused: number;
}

interface Given {
  readonly credentials?: Credentials;
  readonly version?: (typeof VERSIONS)[number];
  readonly overrides?: Overrides;
  readonly tenants?: Tenants;
}

function generated(services: readonly DiscoveredService[], given: Given = {}): Case {
  const { credentials = {}, version = '0.32', overrides = NO_OVERRIDES, tenants = {} } = given;
  const { documents, notes } = generate(services, {
    credentials,
    tenants,
    holmesgptVersion: version,
    overrides,
    kinds,
  });
  return { text: documents['custom_toolset.yaml'] ?? '', notes, off: [], refused: 0 };
}

/** Everything that the program writes in these tests, by what it is written for. */
export const cases = new Map<string, Case>();
for (const type of fixtureTypes) {
  const services = [...servicesOf(type).values()].flat();
  cases.set(
    `the fixtures of ${type}`,
    generated(found(services), { credentials: CREDENTIALS['a login'] ?? {} }),
  );
  cases.set(`three of each fixture of ${type}`, generated(found(installations(services, 3))));
}
for (const [kind, credentials] of Object.entries(CREDENTIALS))
  for (const version of VERSIONS)
    cases.set(
      `all fixtures, ${kind}, HolmesGPT ${version}`,
      generated(everythingFound, { credentials, version }),
    );
for (const version of VERSIONS)
  cases.set(
    `several tenants of each type, HolmesGPT ${version}`,
    generated(everythingFound, {
      credentials: CREDENTIALS['a bearer token'] ?? {},
      tenants: tenantsByBackend.parse({ loki: ['a', "b!-_.*'()"], mimir: 'a|b', tempo: [1, 2] }),
      version,
    }),
  );
cases.set('nothing', generated([]));
cases.set('hostile texts', generated(found(hostile)));
for (const [name, { text, refused = 0, off = [] }] of Object.entries(
  overridesOf(
    [...kinds.keys()],
    everythingFound.map((each) => each.tool),
  ),
)) {
  const overrides = overridesSchema.parse(text);
  const credentials = CREDENTIALS['a login'] ?? {};
  cases.set(`overrides: ${name}`, {
    ...generated(everythingFound, { overrides, credentials }),
    refused,
    off,
  });
}
for (const folder of corpusFolders) {
  const file = join(CORPUS, folder, 'services.yaml');
  if (!existsSync(file)) continue;
  const { services } = parseManifest(readFileSync(file, 'utf8'), file, 'default');
  cases.set(`corpus: ${folder}`, generated(found(services.map((each) => each.service))));
}

/** Entries that the detectors write when nothing is in their way. */
export const wantedEntries: readonly string[] = [...rules.byType.values()].flatMap(({ detector }) => {
  const { type } = detector;
  const holmes = entryOf({ mappings: detector.outputs });
  if ('toolsets' in holmes) return holmes.toolsets;
  return 'http' in holmes ? [type] : [];
});

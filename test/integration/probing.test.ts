import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { builtInDetectors } from '../../src/config/detector-files.ts';
import { probeKinds } from '../../src/controller/pass.ts';
import { detect } from '../../src/detection/detect.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import type { Candidate, Verdict } from '../../src/model/discovery.ts';
import { HOME_CLUSTER } from '../../src/model/key.ts';
import type { Service } from '../../src/model/service.ts';
import type { ConnectTo } from '../../src/probing/connect.ts';
import { directFetch } from '../../src/probing/direct.ts';
import { createProber, type Prober } from '../../src/probing/prober.ts';
import { waitUntil } from '../cluster/wait.ts';

/** The settings' defaults. */
const LIMITS = { concurrency: 32, timeout: 5_000 };
const ANSWER_AFTER_MS = 50;
const { rules } = makeRules(builtInDetectors());

const BUILD = JSON.stringify({ version: '3.5.3', revision: 'test', goVersion: 'go1.24.5' });
/** A product for every fourth candidate, what proves it, and so how many requests it takes. */
const PRODUCTS = [
  { product: 'prometheus', port: 9090, answers: { '/-/healthy': 'Prometheus Server is Healthy.\n' } },
  { product: 'grafana', port: 3000, answers: { '/api/health': '{"database":"ok","version":"12.1.1"}' } },
  { product: 'loki', port: 3100, answers: { '/ready': 'ready', '/loki/api/v1/status/buildinfo': BUILD } },
  { product: 'tempo', port: 3200, answers: { '/ready': 'ready', '/api/echo': 'echo' } },
] as const;
const ANSWERS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...PRODUCTS.map(({ answers }) => answers),
);

/** Candidates as detection gives them, one for each name and in their order. */
function candidatesOf(
  names: readonly string[],
  products: readonly { readonly product: string; readonly port: number }[] = PRODUCTS,
): readonly Candidate[] {
  const services = names.map((name, index): Service => {
    const { product = '', port = 0 } = products[index % products.length] ?? {};
    return {
      cluster: HOME_CLUSTER,
      namespace: 'many',
      name,
      labels: { 'app.kubernetes.io/name': product, 'app.kubernetes.io/instance': name },
      annotations: {},
      selector: { instance: name },
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      type: 'ClusterIP',
      headless: false,
    };
  });
  const options = {
    clusterDomain: 'cluster.local',
    allowedHosts: [],
    allowExternalNames: false,
    maxNamespaceServices: 10_000,
  };
  const { candidates } = detect(services, rules, options);
  const byName = new Map(candidates.map((candidate) => [candidate.service.name, candidate]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** One local server that plays all backends: those called `dead-…` never answer. */
async function startBackends() {
  /** `most` backends that were asked at a time, and `mostOfOne`: requests to one of them. */
  const counts = { asked: 0, most: 0, mostOfOne: 0 };
  const inFlight = new Map<string, number>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    counts.asked += 1;
    if (request.headers.host?.startsWith('dead-') === true) return;
    const host = request.headers.host ?? '';
    const requests = (inFlight.get(host) ?? 0) + 1;
    inFlight.set(host, requests);
    counts.most = Math.max(counts.most, inFlight.size);
    counts.mostOfOne = Math.max(counts.mostOfOne, requests);
    await sleep(ANSWER_AFTER_MS);
    const left = (inFlight.get(host) ?? 1) - 1;
    if (left === 0) inFlight.delete(host);
    else inFlight.set(host, left);
    const body = ANSWERS[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1', 2_048);
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return {
    counts,
    port: (server.address() as AddressInfo).port,
    connections: () =>
      new Promise<number>((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
  };
}

/** A prober whose route leads to the local server, for names that exist nowhere. */
function proberOf(candidates: readonly Candidate[], port: number, limits = LIMITS): Prober {
  const connectTo: ConnectTo = new Map(
    candidates.map(({ endpoint }) => [`${endpoint.host}:${endpoint.port}`, { host: '127.0.0.1', port }]),
  );
  return createProber(probeKinds(rules), { fetch: directFetch(connectTo) }, limits);
}

/** Sockets of this process, on both ends of a connection. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

async function noSocketIsLeft(
  backends: { readonly connections: () => Promise<number> },
  before: number,
): Promise<void> {
  await waitUntil('all connections are closed', async () => (await backends.connections()) === 0);
  await waitUntil('all sockets are gone', () => sockets() <= before);
}

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function probeAll(what: string, prober: Prober, candidates: readonly Candidate[]) {
  const started = performance.now();
  const { signal } = new AbortController();
  const verdicts = await Promise.all(
    candidates.map(async (candidate) => [candidate, await prober.probe(candidate, signal)] as const),
  );
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(2)} s`);
  return verdicts;
}

/** How many came to each end. */
const tally = (verdicts: readonly (readonly [Candidate, Verdict])[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const [{ service }, { health, proof }] of verdicts) {
    const key = `${service.name.split('-')[0]}: ${health}, ${proof}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

function collectWarnings(): readonly Error[] {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  return warnings;
}

/** On a busy machine a probe may take so long that it hands its slot on. */
const MOST = LIMITS.concurrency * 4;

describe('very many backends', { timeout: 120_000 }, () => {
  test('1,000 are all proven, a few at a time with at most two requests each, and no socket stays open', async () => {
    const backends = await startBackends();
    const before = sockets();
    const warnings = collectWarnings();
    const candidates = candidatesOf(numbered('live', 1_000));
    const verdicts = await probeAll('1,000 backends', proberOf(candidates, backends.port), candidates);
    expect(tally(verdicts)).toEqual({ 'live: healthy, proven': 1_000 });
    expect(backends.counts.asked, 'one request or three for each').toBe(2_000);
    expect(backends.counts.most).toBeGreaterThanOrEqual(LIMITS.concurrency);
    expect(backends.counts.most).toBeLessThanOrEqual(MOST);
    expect(backends.counts.mostOfOne).toBe(2);
    await noSocketIsLeft(backends, before);
    expect(warnings).toEqual([]);
  });

  test.each([
    ['first', (live: string[], dead: string[]) => [...dead, ...live]],
    [
      'in between',
      (live: string[], dead: string[]) =>
        live.flatMap((name, index) => (index % 10 === 0 ? [dead[index / 10] ?? '', name] : [name])),
    ],
    ['last', (live: string[], dead: string[]) => [...live, ...dead]],
  ])('100 more that never respond do not prevent 1,000 from being proven: %s', async (where, mixed) => {
    const backends = await startBackends();
    const before = sockets();
    const names = mixed(numbered('live', 1_000), numbered('dead', 100));
    const candidates = candidatesOf(names);
    const verdicts = await probeAll(
      `1,000 backends, 100 dead ones ${where}`,
      proberOf(candidates, backends.port),
      candidates,
    );
    expect(tally(verdicts)).toEqual({
      'live: healthy, proven': 1_000,
      'dead: unhealthy, unproven': 100,
    });
    expect(backends.counts.most).toBeLessThanOrEqual(MOST);
    await noSocketIsLeft(backends, before);
  });

  test('a live backend is probed before its timeout, however many dead ones are probed at the same time', async () => {
    const backends = await startBackends();
    const names = [...numbered('dead', 31), 'live', ...numbered('dead-too', 33)];
    const loki = PRODUCTS.filter(({ product }) => product === 'loki');
    const candidates = candidatesOf(names, loki);
    const prober = proberOf(candidates, backends.port, { ...LIMITS, timeout: 1_500 });
    const verdicts = await probeAll('1 backend among 64 dead ones', prober, candidates);
    expect(tally(verdicts)).toEqual({ 'live: healthy, proven': 1, 'dead: unhealthy, unproven': 64 });
  });

  test('an abort ends everything at once, and leaves no socket', async () => {
    const backends = await startBackends();
    const before = sockets();
    const warnings = collectWarnings();
    const names = [...numbered('live', 100), ...numbered('dead', 900)];
    const candidates = candidatesOf(names);
    const prober = proberOf(candidates, backends.port);
    const stop = new AbortController();
    const all = Promise.allSettled(candidates.map((candidate) => prober.probe(candidate, stop.signal)));
    await waitUntil(
      'backends that never answer occupy all slots, with 48 requests',
      () => backends.counts.asked >= 200 + 48,
      {
        everyMs: 5,
      },
    );
    const { asked } = backends.counts;
    const started = performance.now();
    const reason = new Error('told to stop');
    stop.abort(reason);
    const settled = await all;
    console.log(`ended ${(performance.now() - started).toFixed(0)} ms after the abort`);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const reasons = new Set(settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])));
    expect([...reasons]).toEqual([reason]);
    expect(backends.counts.asked, 'nothing is asked after it').toBe(asked);
    await noSocketIsLeft(backends, before);
    expect(warnings).toEqual([]);
  });
});

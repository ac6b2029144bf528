import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { mintToken } from '../test/cluster/service-account.ts';
import type { Lab } from './lab.ts';
import { type Measured, startMeasured } from './process.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';
import { median } from './statistics.ts';

const PATH = '/api/v1/toolsets';
/** Concurrent connections, the duration of one measurement in seconds, and the number of alternating measurements. */
const CONNECTIONS = 10;
const SECONDS = 4;
const TURNS = 3;
/** Requests per second during a pass, and the number of passes measured for each server. */
const GENTLE = 200;
const PASSES = 8;
/** How long requests are sent before the pass starts, in milliseconds. */
const LEAD = 500;

interface Asked {
  readonly port: number;
  readonly token: string;
  /** Requests per second; unlimited if absent. */
  readonly rate?: number;
  readonly seconds: number;
}

const inOrder = (values: readonly number[]): string => values.toSorted((a, b) => a - b).join(', ');

async function ask({ port, token, rate, seconds }: Asked) {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}${PATH}`,
    headers: { authorization: `Bearer ${token}` },
    connections: CONNECTIONS,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
  });
  if (result.errors > 0 || result.non2xx > 0)
    throw new Error(`${result.errors} requests failed, and ${result.non2xx} were rejected`);
  return result;
}

/** Measures the API of the built `serve`, with tokens, compared with a server that only sends the same body. */
export async function api(lab: Lab): Promise<Row[]> {
  const cluster = await lab.cluster();
  const services = await cluster.grow(lab.options.services);
  await (await lab.backends()).answerAfter(0);
  const reviewing = [
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  ];
  const target = await newTarget(lab, services, { clusterRules: reviewing });
  const unlimited = { RATE_LIMIT: '100000', RATE_LIMIT_BURST: '100000', API_ADDRESS: '127.0.0.1:0' };
  const token = await mintToken(cluster.admin, target.account);
  let serve: Measured | undefined;
  let bare: Measured | undefined;
  try {
    serve = await startServe(lab, { ...target, env: { ...target.env, ...unlimited } });
    const { port: served } = await serve.logged('the API is served');
    const port = Number(served);
    const headers = { authorization: `Bearer ${token}` };
    const body = await (await fetch(`http://127.0.0.1:${port}${PATH}`, { headers })).text();
    bare = startMeasured([
      join(import.meta.dirname, 'bare-server.ts'),
      await lab.file('toolsets.json', body),
    ]);
    await bare.said('listening');
    const { port: barePort } = await bare.logged('listening');
    const ours: number[] = [];
    const floor: number[] = [];
    lab.say(`requesting ${PATH} from both servers in turn`);
    for (let turn = 0; turn < TURNS; turn++) {
      ours.push((await ask({ port, token, seconds: SECONDS })).requests.average);
      floor.push((await ask({ port: Number(barePort), token, seconds: SECONDS })).requests.average);
    }
    lab.say('sending requests while all backends are probed again');
    const busy = { ours: [] as number[], floor: [] as number[] };
    const during = async (asked: number, into: number[]): Promise<void> => {
      const asking = ask({ port: asked, token, rate: GENTLE, seconds: SECONDS });
      // Connections are open and busy before the pass starts, so that only the effect of the pass is measured.
      await sleep(LEAD);
      const discovery = await fetch(`http://127.0.0.1:${port}/api/v1/discover?wait=true`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"force":true}',
      });
      if (discovery.status !== 200) throw new Error('the discovery failed');
      const { latency } = await asking;
      into.push(latency.p99);
    };
    for (let turn = 0; turn < PASSES; turn++) {
      await during(port, busy.ours);
      await during(Number(barePort), busy.floor);
    }
    const kibibytes = (Buffer.byteLength(body) / 1024).toFixed(0);
    const note = `body of ${kibibytes} KiB, ${CONNECTIONS} connections, ${TURNS} alternating runs of ${SECONDS} s, tokens reviewed`;
    return [
      {
        what: 'one request at full load',
        value: 1e6 / median(ours),
        unit: 'µs',
        floor: { what: 'bare node:http with the same body', value: 1e6 / median(floor) },
        goal: { ratio: 2 },
        note,
      },
      {
        what: `p99 at ${GENTLE} requests a second during a pass`,
        value: median(busy.ours),
        unit: 'ms',
        floor: { what: 'bare node:http during a pass of serve', value: median(busy.floor) },
        goal: { value: 50 },
        note: `${services.length} Services, median of ${PASSES} passes: ${inOrder(busy.ours)} ms; the floor's: ${inOrder(busy.floor)} ms`,
      },
    ];
  } finally {
    await Promise.all([serve?.stop(), bare?.stop()]);
  }
}

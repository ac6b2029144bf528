/** The real HolmesGPT checks what our join makes of a person's toolsets, against a person's server and a tenant's. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holmesPython } from '../../scripts/holmes-venv.ts';
import { type JoinOptions, joinDocuments } from '../../src/generate/holmes-join.ts';

type Json = Record<string, unknown>;

/** A server that says yes to everything and keeps what it was sent. */
interface Recorder {
  readonly url: string;
  readonly server: Server;
  readonly seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
}

const ANSWER = {
  status: 'success',
  cluster_name: 'c',
  data: { resultType: 'vector', result: [] },
  traces: [],
  management_version: '4',
};

async function recorder(): Promise<Recorder> {
  const seen: Recorder['seen'] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(ANSWER));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen };
}

const SECRET = 'person-secret';
const basic = `Basic ${Buffer.from(`admin:${SECRET}`).toString('base64')}`;
const header = { additional_headers: { Authorization: `Bearer ${SECRET}` } };
const login = { username: 'admin', password: SECRET };

/** Toolsets with an address of their own, and the ways to log in that each takes. */
const TOOLSETS: Readonly<Record<string, { readonly address: string; readonly logins: readonly Json[] }>> = {
  'prometheus/metrics': { address: 'prometheus_url', logins: [header] },
  'grafana/loki': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'grafana/tempo': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'grafana/dashboards': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'elasticsearch/data': { address: 'api_url', logins: [login, { api_key: SECRET }] },
  'elasticsearch/cluster': { address: 'api_url', logins: [login, { api_key: SECRET }] },
  victorialogs: {
    address: 'api_url',
    logins: [login, { bearer_token: SECRET }, { headers: { Authorization: `Bearer ${SECRET}` } }],
  },
};
const FILE: JoinOptions = { holmesgptVersion: '0.32', standsAlone: true };

interface Made {
  readonly name: string;
  readonly person: string;
  readonly tenant: string;
  readonly document: Json;
}

/** A person's own configurations, and what has become of each beside a tenant's backend. */
function cases(person: string, tenant: string): Made[] {
  const make = (name: string, toolset: string, config: Json, generated: Json): Made => ({
    name,
    person,
    tenant,
    document: joinDocuments(
      { toolsets: { [toolset]: { enabled: true, config: generated } } },
      { toolsets: { [toolset]: { enabled: true, config } } },
      FILE,
    ).document,
  });
  return Object.entries(TOOLSETS)
    .flatMap(([toolset, { address, logins }]) =>
      logins.flatMap((given) => {
        const [kind = ''] = Object.keys(given);
        const [mine, theirs] = [`${person}/${toolset}-${kind}`, `${tenant}/${toolset}-${kind}`];
        const flat = { [address]: theirs };
        const listed = {
          instances: [
            { name: 'x.evil', ...flat },
            { name: 'y.evil', [address]: `${theirs}-y` },
          ],
        };
        return [
          make(`${toolset}, ${kind}, flat beside one`, toolset, { [address]: mine, ...given }, flat),
          make(`${toolset}, ${kind}, flat beside two`, toolset, { [address]: mine, ...given }, listed),
          make(
            `${toolset}, ${kind}, beside instances`,
            toolset,
            { ...given, instances: [{ name: 'mine', [address]: mine }] },
            listed,
          ),
        ];
      }),
    )
    .concat(
      make(
        'rabbitmq/core, clusters',
        'rabbitmq/core',
        { clusters: [{ id: 'mine', api_url: `${person}/`, ...login }] },
        { clusters: [{ id: 'x.evil', api_url: `${tenant}/`, username: 'other', password: 'other' }] },
      ),
    );
}

const recorders: Recorder[] = [];
let made: Made[] = [];
let came: Record<string, { status: string; error: string | null }>[] = [];

beforeAll(async () => {
  recorders.push(await recorder(), await recorder());
  const [person, tenant] = recorders.map(({ url }) => url);
  made = cases(person ?? '', tenant ?? '');
  const python = await holmesPython((line) => console.error(line));
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-credentials-'));
  const paths = await Promise.all(
    made.map(async ({ document }, index) => {
      const path = join(folder, `${index}.json`);
      await writeFile(path, JSON.stringify(document));
      return path;
    }),
  );
  await writeFile(join(folder, 'list'), JSON.stringify(paths));
  const { stdout } = await promisify(execFile)(
    python,
    [join(import.meta.dirname, 'checks.py'), join(folder, 'list')],
    { maxBuffer: 64 * 1024 * 1024, timeout: 10 * 60_000 },
  );
  came = JSON.parse(stdout.slice(stdout.indexOf('[{'))) as typeof came;
});
afterAll(() => {
  for (const { server } of recorders) server.close();
});

/** Does a request carry the secret, as it is or as a login? */
const carries = (headers: IncomingHttpHeaders): boolean => {
  const all = JSON.stringify(headers);
  return all.includes(SECRET) || all.includes(basic.slice(6));
};

describe('HolmesGPT asks both servers, and only the person’s gets the person’s credentials', () => {
  test('the tenant’s was asked and saw none of them', () => {
    const { seen = [] } = recorders[1] ?? {};
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.filter(({ headers }) => carries(headers))).toEqual([]);
  });

  test('each toolset sent the person’s to the person’s server', () => {
    const { seen = [] } = recorders[0] ?? {};
    for (const [toolset, { logins }] of Object.entries(TOOLSETS))
      for (const given of logins) {
        const path = `/${toolset}-${Object.keys(given)[0]}`;
        const asked = seen.filter(({ url }) => url.startsWith(path));
        expect({
          path,
          asked: asked.length > 0,
          all: asked.every(({ headers }) => carries(headers)),
        }).toEqual({
          path,
          asked: true,
          all: true,
        });
      }
  });

  test('nothing else is wrong with what was written', () => {
    const wrong = made.flatMap(({ name }, index) =>
      Object.values(came[index] ?? { none: { status: 'not loaded', error: null } }).map((each) => ({
        name,
        ...each,
      })),
    );
    expect(wrong.filter(({ status }) => status !== 'enabled')).toEqual([]);
  });
});

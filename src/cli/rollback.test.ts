import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { json, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { type RevisionsApi, revisionsApi } from '../../test/fixtures/unit/revisions-api.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import { FindingsError, IncompleteError, UserError } from '../model/errors.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Rollback } from '../model/revision.ts';
import { generate } from '../outputs/generate.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { contentHash } from '../planning/content-hash.ts';
import { plan, rollbackOf } from '../planning/plan.ts';
import { EXIT } from './exit.ts';
import { type RollbackFlags, rollbackCommand } from './rollback.ts';

/** Documents with so many tools. */
const withTools = (count: number): Documents =>
  generate(
    Array.from({ length: count }, (_, index) =>
      discovered(service(`loki-${index}`, { labels: { app: 'loki' }, ports: ['http:3100'] })),
    ),
  ).documents;

interface Place extends RevisionsApi {
  /** What was applied to the ConfigMap. */
  readonly applied: { readonly data: Documents; readonly metadata: Record<string, unknown> }[];
  /** How often others are quicker. */
  conflicts: number;
  /** Called at each conflict. */
  onConflict: () => void;
  readonly rollback: (flags?: RollbackFlags) => Promise<{ readonly code: number; readonly said: string }>;
}

/** A cluster in which these were published, one a day, and the last of them is. */
const published = (...contents: readonly Documents[]): Promise<Place> => cluster(contents);

/** What is in the cluster beside the documents. */
interface Beside {
  /** `overrides.yaml`. */
  readonly overrides?: string;
  /** The settings of `serve`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The hash of what the inputs give, while removals are held. */
  readonly inputs?: string;
}

/** The same, with this rollback in force. */
async function cluster(
  contents: readonly Documents[],
  rollback?: Rollback,
  beside: Beside = {},
): Promise<Place> {
  const last = contents.at(-1) ?? withTools(0);
  const applied: Place['applied'] = [];
  let version = 1;
  const owner = (uid: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', name: uid, uid });
  const { labels, annotations } = plan({ ...toolset(last), rollback, inputs: beside.inputs }, undefined, '1');
  const live = () => ({
    metadata: {
      labels,
      annotations,
      uid: 'u',
      resourceVersion: String(version),
      ownerReferences: [owner('theirs'), owner('ours')],
      managedFields: [
        {
          manager: 'helm',
          fieldsV1: { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"theirs"}': {} } } },
        },
        {
          manager: 'dynamic-toolset',
          fieldsV1: { 'f:metadata': { 'f:ownerReferences': { '.': {}, 'k:{"uid":"ours"}': {} } } },
        },
      ],
    },
    data: { ...last, ...(beside.overrides === undefined ? {} : { 'overrides.yaml': beside.overrides }) },
  });
  const api = await revisionsApi(async (response, { path }, request) => {
    if (path.endsWith('/dynamic-toolset-config'))
      return json(response, { metadata: {}, data: beside.settings ?? {} });
    if (request.method === 'GET') return json(response, live());
    const body = JSON.parse(await text(request));
    // The removal of annotations names no version.
    if (body.metadata.resourceVersion === undefined) return json(response, live());
    if (place.conflicts > 0 || body.metadata.resourceVersion !== String(version)) {
      place.conflicts--;
      place.onConflict();
      version++;
      return refuse(response, 409, 'Conflict');
    }
    applied.push(body);
    json(response, live());
  });
  for (const [index, documents] of contents.entries())
    api.plant(`r${index + 1}`, index + 1, `2026-01-0${index + 1}T00:00:00Z`, { ...documents });
  const folder = await mkdtemp(join(tmpdir(), 'rollback-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, 'config');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }],
    }),
  );
  const place: Place = Object.assign(api, {
    applied,
    conflicts: 0,
    onConflict: () => {},
    async rollback(flags: RollbackFlags = {}) {
      let said = '';
      const messages = new Writable({
        write(chunk, _, done) {
          said += chunk;
          done();
        },
      });
      const result = new Writable({ write: (_chunk, _encoding, done) => done() });
      const code = await rollbackCommand(
        { ...flags, kubeconfig },
        {
          env: {},
          stdin: Readable.from([]),
          output: { result, messages } as never,
          version: '1',
          signal: new AbortController().signal,
        },
      );
      return { code, said };
    },
  });
  return place;
}

test('without a number, it skips empty toolsets, so it never removes all tools by default', async () => {
  const place = await published(withTools(1), withTools(5), withTools(0), withTools(6));
  expect(await place.rollback()).toMatchObject({
    code: EXIT.ok,
    said: expect.stringContaining('revision 3 has no tools and is skipped; --to 3 returns to it'),
  });
  expect(place.applied.at(-1)?.data).toEqual(withTools(5));
});

test('a number may select it, and removing more than half of the tools is noted', async () => {
  const place = await published(withTools(0), withTools(6));
  const { said } = await place.rollback({ to: 1 });
  expect(said).toContain(
    'revision 1 has 0 tools, and 6 are published: more than half of them would be removed',
  );
  expect(place.applied.at(-1)?.data).toEqual(withTools(0));
});

test('if there are only empty ones, the error names their number', async () => {
  const place = await published(withTools(0), withTools(6));
  await expect(place.rollback()).rejects.toThrow(/have no tools.*--to 1/);
  expect(place.applied).toEqual([]);
});

test('it says which number history shows afterwards', async () => {
  const place = await published(withTools(1), withTools(2), withTools(3));
  expect((await place.rollback({ to: 1 })).said).toContain('is back at revision 1 (4 in history now). serve');
  expect(place.stored.get('r1')?.revision).toBe(4);
});

test('to the published revision, it changes nothing, and says so', async () => {
  const place = await published(withTools(1), withTools(2));
  for (const dryRun of [true, false])
    expect((await place.rollback({ to: 2, dryRun })).said).toBe(
      'ConfigMap kubernaut-system/kubernaut-toolset-config has the documents of revision 2 already, and the inputs give the same; nothing was changed.\n',
    );
  expect(place.applied).toEqual([]);
});

test('to the published revision while removals are held, it keeps the held tools', async () => {
  const place = await cluster([withTools(1), withTools(2)], undefined, { inputs: contentHash(withTools(0)) });
  expect((await place.rollback({ to: 2, dryRun: true })).said).toContain(
    'would stay at revision 2; nothing was changed',
  );
  expect((await place.rollback({ to: 2 })).said).toContain('stays at revision 2. serve keeps it until');
  expect(place.applied.at(-1)?.metadata.annotations).toMatchObject({ 'kubernaut.io/rolled-back-to': '2' });
});

test('--end ends a rollback to what was published', async () => {
  const [first, last] = [withTools(1), withTools(2)];
  const rollback = { to: 2, from: contentHash(last), inputs: contentHash(withTools(0)) };
  const place = await cluster([first, last], rollback);
  expect((await place.rollback({ end: true })).said).toContain(
    'is at revision 2; the rollback to revision 2 has ended',
  );
  expect(place.applied.at(-1)?.metadata.annotations).not.toHaveProperty(['kubernaut.io/rolled-back-to']);
});

describe('while a rollback holds, without a number', () => {
  const [good, bad] = [withTools(3), withTools(4)];
  const holds = { to: 2, from: contentHash(bad) };

  test('it goes further back, and says so', async () => {
    const place = await cluster([withTools(2), bad, good], holds);
    const { said } = await place.rollback();
    expect(said).toContain('note: the rollback to revision 2 holds, so this goes further back');
    expect(said).toContain('is back at revision 1');
    expect(place.applied.at(-1)?.data).toEqual(withTools(2));
  });

  test('it changes nothing if there is no earlier revision', async () => {
    const place = await cluster([bad, good], { ...holds, to: 1 });
    await expect(place.rollback()).rejects.toThrow(
      /rollback to revision 1 holds, and there is no earlier revision .*nothing was changed.*rollback --end/,
    );
    expect(place.applied).toEqual([]);
  });
});

test('the order is by time and not by number', async () => {
  const place = await published(withTools(1), withTools(2), withTools(3));
  place.plant('r9', 9, '2025-01-01T00:00:00Z', { ...withTools(4) });
  await place.rollback();
  expect(place.applied.at(-1)?.data).toEqual(withTools(2));
});

test('a conflict with another writer is retried on the new state', async () => {
  const place = await published(withTools(1), withTools(2));
  place.conflicts = 3;
  expect((await place.rollback()).code).toBe(EXIT.ok);
  expect(place.applied).toHaveLength(1);
});

test('if others keep writing, it reports that, and that nothing was changed', async () => {
  const place = await published(withTools(1), withTools(2));
  place.conflicts = 100;
  const failure = await place.rollback().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(String(failure)).toMatch(/was not changed: others kept writing it; .*try again/);
});

test('our own owner reference stays, and others are not copied', async () => {
  const place = await published(withTools(1), withTools(2));
  await place.rollback();
  expect(place.applied[0]?.metadata.ownerReferences).toEqual([expect.objectContaining({ uid: 'ours' })]);
});

test('a failure to write the history has its own exit code, because the ConfigMap was changed', async () => {
  const place = await published(withTools(1), withTools(2));
  place.refusing = (request) => (request === 'GET' ? undefined : 403);
  const failure = await place.rollback().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(IncompleteError);
  expect(String(failure)).toMatch(/is back at revision 1, but the history could not be written: cannot keep/);
  expect(place.applied).toHaveLength(1);
});

describe('while a rollback holds', () => {
  /** Revision 3 is the rollback to the toolset of revision 1; revision 2 was published before. */
  const rolledBack = (): Promise<Place> =>
    cluster([withTools(3), withTools(2), withTools(1)], { to: 1, from: contentHash(withTools(2)) });
  const holds = ({ applied }: Place): Rollback | undefined =>
    rollbackOf((applied.at(-1)?.metadata.annotations ?? {}) as Record<string, string>);

  test('--end publishes the toolset from before it', async () => {
    const place = await rolledBack();
    expect((await place.rollback({ end: true })).said).toContain('the rollback to revision 1 has ended');
    expect([place.applied.at(-1)?.data, holds(place)]).toEqual([withTools(2), undefined]);
  });

  test('a rollback to what is published changes nothing, and says how to end it', async () => {
    const place = await rolledBack();
    const { said, code } = await place.rollback({ to: 3 });
    expect(said).toMatch(/at revision 3 already, and the rollback to revision 1 holds.*rollback --end/);
    expect([code, place.applied]).toEqual([EXIT.ok, []]);
  });

  test('a rollback to another revision keeps the hold', async () => {
    const place = await rolledBack();
    await place.rollback({ to: 1 });
    expect(holds(place)).toEqual({ to: 1, from: contentHash(withTools(2)) });
  });

  test('without the toolset from before it in the history, --end says what to do', async () => {
    const place = await cluster([withTools(1)], { to: 1, from: 'sha256:gone' });
    const failure = await place.rollback({ end: true }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FindingsError);
    expect(String(failure)).toMatch(/no longer in the history.*kubernaut\.io\/rolled-back-from/);
  });
});

test('--end without a rollback changes nothing', async () => {
  const place = await published(withTools(1), withTools(2));
  expect((await place.rollback({ end: true })).said).toMatch(
    /^No rollback is in effect for .*nothing was changed\.\n$/,
  );
  expect(place.applied).toEqual([]);
});

describe('what is not approved now', () => {
  const orders = discovered(
    service('orders', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
  );
  const weather = discovered(
    service('weather', {
      namespace: 'shop',
      ports: ['http:80'],
      annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': 'weather' },
    }),
  );
  const offering = (...names: readonly string[]) => ({
    ...orders,
    verdict: { ...orders.verdict, tools: names.map((name) => ({ name, readOnly: true, digest: '1' })) },
  });
  const options = {
    credentials: {},
    holmesgptVersion: '0.32',
    kinds: new Map(),
    overrides: NO_OVERRIDES,
  } as const;
  const trusting = (...found: readonly DiscoveredService[]): Documents =>
    generate(found, { ...options, mcpPolicy: 'approve', namespaces: ['shop'] }).documents;
  const withBoth = trusting(orders, weather);
  const none = trusting();
  /** The settings of a `serve` that trusts no namespace. */
  const watchingAll = { settings: { namespaces: '*' } };
  const approving = (word: string | boolean) => `tools: { shop/orders: { approved: ${word} } }`;
  const failing = async (place: Place, flags?: RollbackFlags): Promise<string> => {
    const failure = await place.rollback(flags).catch((error: unknown) => error);
    expect([failure, place.applied, place.writes]).toEqual([expect.any(FindingsError), [], []]);
    return String(failure);
  };

  test.each([{}, { dryRun: true }])('is named, and nothing is written (%j)', async (flags) => {
    const place = await cluster([withBoth, none], undefined, watchingAll);
    const said = await failing(place, flags);
    expect(said).toContain('Service shop/orders: is not approved; Service shop/weather: is not approved');
    expect(said).toMatch(
      /dynamic-toolset approve NAMESPACE\/SERVICE\), or publish it anyway with --allow-unapproved; there is no other revision without such items$/,
    );
  });

  test('is published with a flag, and a warning', async () => {
    const place = await cluster([withBoth, none], undefined, watchingAll);
    const { code, said } = await place.rollback({ allowUnapproved: true });
    expect([code, place.applied.at(-1)?.data]).toEqual([EXIT.ok, withBoth]);
    expect(said).toContain('warning: Service shop/orders: is not approved; if you trust it: dynamic-toolset');
  });

  test.each<[string, Beside]>([
    ['approved', { ...watchingAll, overrides: approving('mcp') }],
    ['in a trusted namespace', { settings: { namespaces: 'shop' } }],
    ['published without approval', { settings: { namespaces: '*', 'mcp-policy': 'publish' } }],
  ])('does not include a server that is %s', async (_, beside) => {
    const place = await cluster([trusting(orders), none], undefined, beside);
    await place.rollback();
    expect(place.applied.at(-1)?.data).toEqual(trusting(orders));
  });

  test.each<[string, Beside, string]>([
    [
      'refused',
      { settings: { namespaces: 'shop' }, overrides: approving(false) },
      'overrides.yaml refuses it',
    ],
    ['approved as another kind', { ...watchingAll, overrides: approving('custom') }, 'is not approved'],
    [
      'switched off with all of them',
      { settings: { namespaces: 'shop', 'mcp-policy': 'off' } },
      'MCP_POLICY is off',
    ],
  ])('includes a server that is %s', async (_, beside, why) => {
    const place = await cluster([trusting(orders), none], undefined, beside);
    expect(await failing(place)).toContain(
      `Service shop/orders: ${beside.settings?.['mcp-policy'] ? 'not published: ' : ''}${why}`,
    );
  });

  test('does not include what is published, which serve may trust for a reason that is unknown here', async () => {
    const place = await cluster([withBoth, trusting(orders)], undefined, watchingAll);
    expect(await failing(place)).toContain('now: Service shop/weather: is not approved; approve');
    const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
    const more = await cluster([trusting(orders, loki), trusting(orders)], undefined, watchingAll);
    await more.rollback();
    expect(more.applied).toHaveLength(1);
  });

  describe('if the namespaces of serve are unknown', () => {
    test('does not include what is published', async () => {
      const published = trusting(
        orders,
        discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })),
      );
      const place = await cluster([trusting(orders), published]);
      await place.rollback();
      expect(place.applied).toHaveLength(1);
    });

    test('includes what is not, and what overrides refuse', async () => {
      expect(await failing(await cluster([withBoth, trusting(orders)]))).toMatch(
        /not approved now: Service shop\/weather: is not approved, nor published now, and which namespaces serve trusts/,
      );
      const refused = { overrides: approving(false) };
      expect(await failing(await cluster([trusting(orders), withBoth], undefined, refused))).toContain(
        'Service shop/orders: overrides.yaml refuses it',
      );
    });

    test('does not suggest what a rollback that holds was from', async () => {
      const rollback = { to: 2, from: contentHash(withTools(3)) };
      const place = await cluster([trusting(orders), withTools(3), withTools(1)], rollback);
      expect(await failing(place, { to: 1 })).toMatch(/there is no other revision without such items/);
    });

    test('goes by what was published before a rollback that holds', async () => {
      const rollback = { to: 1, from: contentHash(none) };
      const place = await cluster([withTools(1), trusting(orders), none, withBoth], rollback);
      expect(await failing(place, { to: 2 })).toContain('Service shop/orders: is not approved');
      await place.rollback({ end: true });
      expect(place.applied.at(-1)?.data).toEqual(none);
    });
  });

  test('with invalid overrides, only what is published counts as approved', async () => {
    const invalid = { settings: { namespaces: 'shop' }, overrides: 'tools: [' };
    expect(await failing(await cluster([trusting(orders), none], undefined, invalid))).toContain(
      'shop/orders',
    );
    const place = await cluster([trusting(orders), withBoth], undefined, invalid);
    await place.rollback();
    expect(place.applied).toHaveLength(1);
    const off = { ...invalid, settings: { ...invalid.settings, 'mcp-policy': 'off' } };
    expect(await failing(await cluster([trusting(orders), withBoth], undefined, off))).toContain(
      'MCP_POLICY is off',
    );
  });

  test('a server of a detector that this command lacks is known by its hosts, and another backend needs no approval', async () => {
    const own = { ...orders, type: 'their-mcp', detector: 'their-mcp' };
    const vault = {
      ...discovered(service('vault', { labels: { app: 'loki' }, ports: ['http:3100'] })),
      type: 'vault',
    };
    const place = await cluster([trusting(own, vault), none], undefined, watchingAll);
    const said = await failing(place);
    expect(said).toContain('Service shop/orders: is not approved');
    expect(said).not.toContain('vault:');
  });

  test('a server that its owner annotates with a type that this command lacks is an MCP server, too', async () => {
    const annotated = { ...orders, type: 'their-mcp', certainty: 'annotation' } as const;
    const beside = { ...watchingAll, overrides: approving('mcp') };
    const place = await cluster([trusting(annotated), none], undefined, beside);
    await place.rollback();
    expect(place.applied).toHaveLength(1);
  });

  describe('goes by the Service and not by its overrides', () => {
    /** A revision with these overrides, and then nothing. */
    const changed = (found: DiscoveredService, text: string, approvals: string) => {
      const read = readOverrides(text);
      if ('faults' in read) throw new Error('invalid overrides');
      const rules = {
        ...options,
        overrides: read.value,
        mcpPolicy: 'approve',
        namespaces: ['shop'],
      } as const;
      const kinds = new Map([['loki', { description: 'Logs', mappings: {} }]]);
      const { documents } = generate([found], { ...rules, kinds });
      return cluster([{ ...documents, 'overrides.yaml': text }, none], undefined, {
        ...watchingAll,
        overrides: approvals,
      });
    };

    test('whose type they replace', async () => {
      const text = 'tools: { shop/weather: { type: loki } }';
      expect(await failing(await changed(weather, text, ''))).toContain('Service shop/weather');
      const place = await changed(weather, text, 'tools: { shop/weather: { approved: custom } }');
      expect((await place.rollback()).code).toBe(EXIT.ok);
    });

    test('whose namespace they replace', async () => {
      const text = 'tools: { shop/orders: { namespace: sales } }';
      expect(await failing(await changed(orders, text, ''))).toContain('Service shop/orders');
      expect((await (await changed(orders, text, approving('mcp'))).rollback()).code).toBe(EXIT.ok);
    });
  });

  test('are tools before which the agent would no longer ask', async () => {
    const place = await cluster([trusting(offering('get')), trusting(orders)], undefined, {
      settings: { namespaces: 'shop' },
    });
    expect(await failing(place)).toMatch(
      /shop\/orders: the agent would run some of its tools without asking, and asks before them now; publish it anyway/,
    );
    await place.rollback({ allowUnapproved: true });
    expect(place.applied).toHaveLength(1);
  });

  test('are tools of a server that is not published now, because nobody knows which it has', async () => {
    const settings = { namespaces: 'shop' };
    const place = await cluster([trusting(offering('get')), none], undefined, { settings });
    expect(await failing(place)).toContain(
      'the current toolset does not have it, so nobody knows which tools it has',
    );
    const earlier = await cluster([trusting(orders), trusting(offering('get')), none], undefined, {
      settings,
    });
    expect(await failing(earlier)).toMatch(
      /; return to revision 1, the newest other toolset without such items, with --to 1, or /,
    );
    const asking = await cluster([trusting(orders), none], undefined, { settings });
    expect((await asking.rollback()).code).toBe(EXIT.ok);
  });

  test('are tools other than overrides approve since', async () => {
    const overrides = (digit: string): string =>
      `tools: { shop/orders: { approved: mcp, approvedTools: 'sha256:${digit.repeat(64)}' } }`;
    const made = (...names: readonly string[]): Documents => ({
      ...trusting(offering(...names)),
      'overrides.yaml': overrides('a'),
    });
    const contents = [made('get'), made('get', 'list')];
    const place = await cluster(contents, undefined, { overrides: overrides('b') });
    expect(await failing(place)).toContain('overrides.yaml approves other tools of it since');
    const same = await cluster(contents, undefined, { overrides: overrides('a') });
    expect((await same.rollback()).code).toBe(EXIT.ok);
  });

  test('are tools before which overrides ask, although that is not published yet', async () => {
    const overrides = "holmesgpt: { mcp_servers: { shop/orders: { approval_required_tools: ['*'] } } }";
    const place = await cluster([trusting(offering('get')), none], undefined, {
      settings: { namespaces: 'shop' },
      overrides,
    });
    expect(await failing(place)).toContain(
      'shop/orders: the agent would run some of its tools without asking',
    );
  });

  test('is a server that leads to Pods of a Service that overrides refuse', async () => {
    const beside = { ...orders, sharesPods: ['billing'] };
    const overrides = 'tools: { shop/billing: { approved: false } }';
    const settings = { namespaces: 'shop' };
    const place = await cluster([trusting(beside), none], undefined, { settings, overrides });
    expect(await failing(place)).toContain('Service shop/orders: overrides.yaml refuses it');
  });

  test('an approval that somebody withdraws meanwhile counts', async () => {
    const beside = { ...watchingAll, overrides: approving('mcp') };
    const place = await cluster([trusting(orders), none], undefined, beside);
    place.conflicts = 1;
    place.onConflict = () => {
      beside.overrides = '';
    };
    expect(await failing(place)).toContain('Service shop/orders: is not approved');
  });
});

describe('what the settings no longer give', () => {
  const grafana = discovered(
    service('grafana', { namespace: 'shop', labels: { app: 'grafana' }, ports: ['http:3000'] }),
  );
  const made = (): Documents =>
    generate([grafana], {
      credentials: { 'shop/grafana': { apiKey: 'GRAFANA_KEY' } },
      holmesgptVersion: '0.32',
      kinds: new Map(),
      overrides: NO_OVERRIDES,
    }).documents;
  const inPlace = (settings: Readonly<Record<string, string>>) =>
    cluster([made(), generate([]).documents], undefined, { settings });
  const credentials = 'shop/grafana: { apiKey: GRAFANA_KEY }';

  test('credentials that are configured come back', async () => {
    const place = await inPlace({ namespaces: 'shop', credentials });
    expect((await place.rollback()).code).toBe(EXIT.ok);
    expect(place.applied.at(-1)?.data['custom_toolset.yaml']).toContain('GRAFANA_KEY');
    expect(JSON.stringify(place.applied.at(-1)?.metadata)).not.toContain('rollback-accepts');
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'credentials',
      { namespaces: 'shop' },
      'not approved now: grafana/dashboards: the agent would send credentials to shop/grafana, and neither what is published nor the settings do',
    ],
    [
      'credentials of another variable',
      { namespaces: 'shop', credentials: 'shop/grafana: { apiKey: OTHER }' },
      'the agent would send credentials to shop/grafana',
    ],
    [
      'a namespace',
      { namespaces: 'ops', credentials },
      'excluded now: grafana.shop: the settings exclude it: its namespace is not watched; correct the settings of serve, or',
    ],
    [
      'a detector',
      { namespaces: 'shop', credentials, detectors: 'grafana: { excludeNamespaces: [shop] }' },
      'excluded now: grafana.shop: the settings exclude it: its detector is off there',
    ],
  ])('it is named, and nothing is written: %s', async (_, settings, text) => {
    const place = await inPlace(settings);
    const failure = await place.rollback().catch((error: unknown) => error);
    expect([failure, place.applied]).toEqual([expect.any(FindingsError), []]);
    expect(String(failure)).toContain(text);
    expect((await place.rollback({ allowUnapproved: true })).code).toBe(EXIT.ok);
    // serve keeps what was accepted, and nothing else.
    expect(place.applied.at(-1)?.metadata).toMatchObject({
      annotations: { 'kubernaut.io/rollback-accepts': expect.stringMatching(/^[0-9a-f]{12}$/) },
    });
  });
});

describe('what overrides switch off now', () => {
  const loki = discovered(
    service('loki', { namespace: 'shop', labels: { app: 'loki' }, ports: ['http:3100'] }),
  );
  const kinds = new Map([['loki', { description: 'Logs', mappings: {} }]]);
  /** The documents of Loki with these overrides, which the revision has too. */
  const made = (text = ''): Documents => {
    const read = readOverrides(text);
    if ('faults' in read) throw new Error('invalid overrides');
    const options = { credentials: {}, holmesgptVersion: '0.32', kinds, overrides: read.value } as const;
    return { ...generate([loki], options).documents, 'overrides.yaml': text };
  };
  const without = generate([]).documents;
  const said = async (before: string, overrides: string): Promise<string> => {
    const place = await cluster([made(before), without], undefined, { overrides });
    const failure = await place.rollback().catch((error: unknown) => error);
    expect([failure, place.applied]).toEqual([expect.any(FindingsError), []]);
    return String(failure);
  };
  const lokiOff = 'tools: { shop/loki: { enabled: false } }';

  test.each<[string, string, string, string]>([
    ['a backend', '', lokiOff, 'Service shop/loki'],
    ['the other form of its key', '', 'tools: { loki.shop: { enabled: false } }', 'Service shop/loki'],
    [
      'one with another namespace',
      'tools: { shop/loki: { namespace: sales } }',
      lokiOff,
      'Service shop/loki',
    ],
    [
      'one whose Service the metadata hide',
      'tools: { shop/loki: { metadata: { service: x } } }',
      lokiOff,
      'Service shop/x',
    ],
    [
      'one with a URL',
      'tools: { shop/loki: { type: loki, endpoint: "https://l.example.com", description: L } }',
      lokiOff,
      'tool loki.shop',
    ],
    [
      'a tool of a person',
      'tools: { mine: { type: loki, endpoint: "https://l.example.com", description: L, metadata: { service: x } } }',
      'tools: { mine: { type: loki, endpoint: "https://l.example.com", description: L, enabled: false } }',
      'tool mine',
    ],
    [
      "a toolset of HolmesGPT's",
      '',
      'holmesgpt: { toolsets: { grafana/loki: { enabled: false } } }',
      'grafana/loki',
    ],
    ['a removed entry', '', 'holmesgpt: { toolsets: { kubernetes/core: null } }', 'kubernetes/core'],
  ])('is named: %s', async (_, before, now, where) => {
    const text = await said(before, now);
    expect(text).toContain(`contains items that are switched off now: ${where}: `);
    expect(text).toMatch(/switch on in overrides.yaml what you want.*--allow-unapproved/);
  });

  test('is not something that has its display name', async () => {
    const place = await cluster([made(), without], undefined, {
      overrides: 'tools: { loki: { enabled: false } }',
    });
    expect((await place.rollback()).code).toBe(EXIT.ok);
  });

  test('is published with a flag, and a warning', async () => {
    const place = await cluster([made(), without], undefined, { overrides: lokiOff });
    const { code, said } = await place.rollback({ allowUnapproved: true });
    expect([code, place.applied.length]).toEqual([EXIT.ok, 1]);
    expect(said).toContain('warning: Service shop/loki: overrides.yaml switches it off');
  });

  test('is what the last valid overrides switch off while those of now are invalid', async () => {
    const last = { ...without, 'overrides.yaml': lokiOff };
    const place = await cluster([made(), last], undefined, { overrides: 'tools: [' });
    await expect(place.rollback({ to: 1 })).rejects.toThrow(
      'Service shop/loki: overrides.yaml switches it off (its last valid version does; the current one is invalid)',
    );
  });
});

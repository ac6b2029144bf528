import { describe, expect, test } from 'vitest';
import type { Mapping } from '../../../model/mapping.ts';
import { own } from '../yaml.ts';
import { joinDocuments, withoutDuplicates } from './join.ts';
import type { JoinOptions } from './join-options.ts';
import { withPatch } from './patch.ts';

const FILE: JoinOptions = { holmesgptVersion: '0.32', namespace: 'holmes', standsAlone: true };
const OVERRIDES: JoinOptions = { holmesgptVersion: '0.32', standsAlone: false };

const url = (service: string, port = 9090): string => `http://${service}.svc.cluster.local:${port}`;
const ours = (...services: string[]): Mapping[] =>
  services.map((name) => ({ name, prometheus_url: url(name) }));
const several = { instances: ours('prometheus.evil', 'prometheus.monitoring') };
const one = { prometheus_url: url('prometheus.evil') };
const HEADERS = { additional_headers: { Authorization: 'Bearer {{ env.PROM_TOKEN }}' } };

/** What becomes of the configuration of a toolset. */
function joined(generated: Mapping, handWritten: Mapping, options = FILE, name = 'prometheus/metrics') {
  const type = name === 'jaeger' ? { type: 'http' } : {};
  const { document, notes } = joinDocuments(
    { toolsets: { [name]: { enabled: true, ...type, config: generated } } },
    { toolsets: { [name]: { config: handWritten } } },
    options,
  );
  const { [name]: entry } = document.toolsets as Record<string, { config?: unknown }>;
  return { config: entry?.config, notes: notes.map(({ note }) => note.what) };
}

describe('a list with credentials in an entry without an address', () => {
  const told =
    'config.instances.0 has additional_headers and no address, so HolmesGPT decides which backend gets that, or fails';

  test('stays as it is, which is told', () => {
    const mine = { instances: [{ name: 'mine', ...HEADERS }] };
    const { config, notes } = joined(several, mine);
    expect(config).toEqual({ instances: [...mine.instances, ...several.instances] });
    expect(notes).toEqual([told]);
    expect(joined(several, { ...HEADERS, instances: [{ name: 'mine' }] }).notes).toEqual([told]);
  });

  test.each<[string, Mapping]>([
    ['there is an address', { instances: [{ name: 'mine', prometheus_url: url('mine.shop'), ...HEADERS }] }],
    ['there are no credentials', { instances: [{ name: 'mine', timeout_seconds: 5 }] }],
  ])('is not told if %s', (_, mine) => {
    expect(joined(several, mine).notes).toEqual([]);
  });
});

describe('a flat configuration with an address', () => {
  const mine = { prometheus_url: url('stack.monitoring'), ...HEADERS };

  test.each([several, one])(
    'becomes the first instance, and nothing is next to the list: %j',
    (generated) => {
      const { config, notes } = joined(generated, mine);
      const left = 'instances' in generated ? generated.instances : ours('prometheus.evil');
      expect(config).toEqual({ instances: [{ name: 'default', ...mine }, ...left] });
      expect(notes).toEqual([]);
    },
  );

  test.each([
    'http://prometheus.monitoring.svc.cluster.local:9090/',
    'http://prometheus.monitoring.svc.cluster.local.:9090',
    'http://prometheus.monitoring.svc:9090',
    'http://Prometheus.Monitoring:9090//',
  ])('replaces the generated one with the same address: %s', (prometheus_url) => {
    const { config } = joined(several, { prometheus_url, ...HEADERS });
    expect(config).toEqual({
      instances: [{ name: 'default', prometheus_url, ...HEADERS }, ...ours('prometheus.evil')],
    });
  });

  test('stays flat if it is the only one', () => {
    const handWritten = { prometheus_url: 'http://prometheus.evil:9090', ...HEADERS };
    expect(joined(one, handWritten).config).toEqual(handWritten);
  });

  test.each(['http://prometheus:9090', 'http://prometheus.holmes'])(
    'the name of a Service alone is in the agent’s namespace: %s',
    (prometheus_url) => {
      const generated = {
        prometheus_url: url('prometheus.holmes', prometheus_url.endsWith('9090') ? 9090 : 80),
      };
      expect(joined(generated, { prometheus_url }).config).toEqual({ prometheus_url });
      if (prometheus_url.endsWith('9090'))
        expect(joined(generated, { prometheus_url }, OVERRIDES).config).toHaveProperty('instances.length', 2);
    },
  );

  test('another port, path or domain is another backend', () => {
    for (const prometheus_url of [
      'http://prometheus.evil:9091',
      'http://prometheus.evil:9090/prometheus',
      'http://prometheus.evil.svc.other.example:9090',
    ])
      expect(joined(one, { prometheus_url }).config).toHaveProperty('instances.length', 2);
  });

  test('a generated one with its name is renamed', () => {
    const generated = { instances: [{ name: 'default', prometheus_url: url('a.evil') }] };
    expect(joined(generated, mine).config).toMatchObject({
      instances: [{ name: 'default' }, { name: 'a.evil' }],
    });
  });

  test('is the only one, for an agent that supports one backend', () => {
    const { config, notes } = joined(one, mine, { ...FILE, holmesgptVersion: '0.20' });
    expect(config).toEqual(mine);
    expect(notes).toEqual([expect.stringMatching(/left out/)]);
  });
});

describe('no discovered backend is lost, so there is no note', () => {
  const file = { ...FILE, discovered: new Set([url('prometheus.evil')]) };
  const orders = { connection_url: 'postgresql://reader@orders.shop:5432/orders', max_rows: 50 };
  const elsewhere = { hosts: ['https://status.example.com'], paths: ['/*'] };

  test.each<[string, JoinOptions, string, Mapping, Mapping]>([
    ['a field of the same backend', file, 'orders', orders, { ...orders, max_rows: 500 }],
    [
      'another backend in place of one from overrides',
      file,
      'orders',
      orders,
      { connection_url: 'mysql://orders.new/orders' },
    ],
    [
      'the discovered one itself',
      { ...file, holmesgptVersion: '0.20' },
      'prometheus/metrics',
      one,
      { ...one, ...HEADERS },
    ],
    [
      'endpoints with options for all, next to one from overrides',
      file,
      'jaeger',
      { endpoints: [elsewhere] },
      { endpoints: [elsewhere], headers: { a: 'b' } },
    ],
    ['credentials next to options alone', file, 'prometheus/metrics', { timeout_seconds: 5 }, HEADERS],
  ])('%s', (_, options, name, generated, theirs) => {
    const { config, notes } = joined(generated, theirs, options, name);
    expect(config).toEqual(theirs);
    expect(notes).toEqual([]);
  });

  test('an entry of another type in place of one from overrides', () => {
    const entry = (type: string) => ({ toolsets: { orders: { type, config: orders } } });
    const { document, notes } = joinDocuments(entry('database'), entry('mongodb'), file);
    expect(document).toEqual(entry('mongodb'));
    expect(notes).toEqual([]);
  });

  test('otherwise the note says so', () => {
    const theirs = { prometheus_url: 'http://mine:9090' };
    expect(joined(one, theirs, { ...file, holmesgptVersion: '0.20' }).notes).toEqual([
      'config names a backend, and HolmesGPT supports only one backend per toolset of this kind, so the discovered backends of this toolset are left out',
    ]);
  });
});

describe('a flat configuration without an address', () => {
  test.each([
    [FILE, HEADERS],
    [OVERRIDES, HEADERS],
    [FILE, { prometheus_url: '', ...HEADERS }],
    [OVERRIDES, { prometheus_url: ' ', ...HEADERS }],
  ])('HolmesGPT finds Prometheus itself, so a hand-written one is the only one: %j %j', (options, theirs) => {
    const { config, notes } = joined(one, theirs, options);
    expect(config).toEqual(theirs);
    expect(notes).toEqual([expect.stringMatching(/headers.*no address.*left out/)]);
  });

  test.each([
    [OVERRIDES, 'grafana/loki'],
    [FILE, 'grafana/loki'],
    [{ ...OVERRIDES, holmesgptVersion: '0.20' } as const, 'grafana/loki'],
  ])('otherwise secrets are not merged, which is reported: %j %s', (options, name) => {
    const { config, notes } = joined(one, { ...HEADERS, timeout_seconds: 5 }, options, name);
    expect(config).toEqual({ ...one, timeout_seconds: 5 });
    expect(notes).toEqual([expect.stringMatching(/additional_headers.*not merged/)]);
  });

  test.each<[Mapping, boolean]>([
    [{ timeout_seconds: 5 }, true],
    [{ verify_ssl: true }, true],
    [{ labels: { pod: 'pod' } }, true],
    [{ verify_ssl: false }, false],
    [{ timeout_seconds: '{{ env.PASSWORD }}' }, false],
    [{ username: 'admin', password: 'x' }, false],
    [{ aws_region: 'eu-west-1' }, false],
    [{ external_url: 'http://evil' }, false],
    [{ client_cert: '/a', client_key: '/b' }, false],
    [{ something_new: 1 }, false],
  ])('%j is for all: %j', (handWritten, forAll) => {
    const { config } = joined(several, handWritten, OVERRIDES, 'grafana/loki');
    expect(config).toEqual(forAll ? { ...several, ...handWritten } : several);
  });
});

describe('hand-written instances', () => {
  test('come first, with the fields that they inherit from next to the list', () => {
    const { config } = joined(
      { instances: [{ name: 'a', api_url: url('v.evil') }] },
      {
        username: 'u',
        password: 'p',
        timeout_seconds: 9,
        instances: [
          { name: 'a', api_url: 'http://a' },
          { name: 'b', api_url: 'http://b', bearer_token: 't' },
        ],
      },
      FILE,
      'victorialogs',
    );
    expect(config).toEqual({
      timeout_seconds: 9,
      instances: [
        { username: 'u', password: 'p', name: 'a', api_url: 'http://a' },
        { name: 'b', api_url: 'http://b', bearer_token: 't' },
        { name: 'v.evil', api_url: url('v.evil') },
      ],
    });
  });

  test('a discovered one gets none of their names in another case', () => {
    const { config } = joined(
      { instances: [{ name: 'PROD', api_url: url('v.evil') }] },
      { instances: [{ name: 'prod', api_url: 'http://a' }] },
      FILE,
      'victorialogs',
    );
    expect(config).toMatchObject({ instances: [{ name: 'prod' }, { name: 'v.evil' }] });
  });

  test('an unused address next to them becomes an instance of its own, and keeps its credentials', () => {
    const { config, notes } = joined(several, {
      prometheus_url: 'http://mine',
      ...HEADERS,
      instances: ours('prometheus.evil'),
    });
    expect(config).toEqual({
      instances: [
        { name: 'default', prometheus_url: 'http://mine', ...HEADERS },
        ...ours('prometheus.evil', 'prometheus.monitoring'),
      ],
    });
    expect(notes).toHaveLength(1);
  });

  test('null for the address leaves the generated ones out', () => {
    const handWritten = { prometheus_url: null, instances: ours('mine.x') };
    expect(joined(several, handWritten).config).toEqual({ instances: ours('mine.x') });
  });

  test('a configuration that HolmesGPT would reject is left to HolmesGPT', () => {
    expect(joined(several, { instances: 'all' }).config).toEqual({ instances: 'all' });
  });
});

describe('lists of other toolsets', () => {
  test.each<[string, string, Mapping[], Mapping[]]>([
    [
      'kafka/admin',
      'clusters',
      [{ name: 'main', broker: 'kafka.shop:9092', password: '{{ env.K }}' }],
      [{ name: 'kafka.evil', broker: 'kafka.evil.svc.cluster.local:9092' }],
    ],
    [
      'rabbitmq/core',
      'clusters',
      [{ id: 'main', api_url: 'http://rabbit.shop:15672', password: '{{ env.R }}' }],
      [{ id: 'rabbit.evil', api_url: `${url('rabbit.evil', 15_672)}/` }],
    ],
    [
      'jaeger',
      'endpoints',
      [{ hosts: ['http://jaeger.shop:16686'], auth: { type: 'bearer', token: '{{ env.J }}' } }],
      [{ hosts: [url('jaeger.evil', 16_686)], paths: ['/api/*'] }],
    ],
  ])('%s: both sides are kept, and each backend is listed once', (name, list, theirs, found) => {
    expect(joined({ [list]: found }, { [list]: theirs }, FILE, name).config).toEqual({
      [list]: [...theirs, ...found],
    });
    const same = { ...found[0], timeout_seconds: 1 };
    expect(joined({ [list]: found }, { [list]: [same] }, FILE, name).config).toEqual({ [list]: [same] });
  });

  test('clusters of Kafka under their deprecated key', () => {
    const theirs = [{ name: 'main', kafka_broker: 'kafka.evil:9092' }];
    const { config } = joined(
      { clusters: [{ name: 'kafka.evil', broker: 'kafka.evil.svc.cluster.local:9092' }] },
      { kafka_clusters: theirs },
      FILE,
      'kafka/admin',
    );
    expect(config).toEqual({ clusters: theirs });
  });

  test('headers of an HTTP toolset apply only to its own endpoints', () => {
    const endpoints = [{ hosts: ['http://mine'] }];
    const generated = { endpoints: [{ hosts: [url('jaeger.evil')] }] };
    const headers = { default_headers: { Authorization: '{{ env.J }}' } };
    expect(joined(generated, { ...headers, endpoints }, FILE, 'jaeger').config).toEqual({
      ...headers,
      endpoints,
    });
    expect(joined(generated, headers, FILE, 'jaeger').config).toEqual(generated);
  });
});

test("a person's own toolset gets nothing from a generated one of its name, also without a type", () => {
  const jaeger = { enabled: true, type: 'http', config: { endpoints: [{ hosts: ['jaeger.evil.svc'] }] } };
  const mine = {
    description: 'mine',
    tools: [{ name: 'get', description: 'd', command: 'curl http://jaeger' }],
  };
  const { document, notes } = joinDocuments({ toolsets: { jaeger } }, { toolsets: { jaeger: mine } }, FILE);
  expect(document).toEqual({ toolsets: { jaeger: mine } });
  expect(notes).toMatchObject([{ name: 'jaeger', note: { what: expect.stringContaining('left out') } }]);
  const options = { enabled: true, tools: [] };
  const patched = joinDocuments({ toolsets: { jaeger } }, { toolsets: { jaeger: options } }, FILE);
  expect(patched.document.toolsets).toMatchObject({ jaeger: { config: jaeger.config } });
  const { document: overridden } = withPatch(
    { toolsets: { jaeger } },
    { toolsets: { jaeger: { enabled: true, ...mine } } },
  );
  expect(overridden.toolsets).toMatchObject({ jaeger: mine });
});

describe('an MCP server', () => {
  const ticket = {
    description: 'd',
    config: { url: url('tickets.shop'), mode: 'sse', headers: { A: '{{ env.A }}' } },
  };
  const server = (handWritten: Mapping) =>
    joinDocuments(
      { mcp_servers: { 'shop/tickets': ticket } },
      { mcp_servers: { 'shop/tickets': handWritten } },
      FILE,
    ).document.mcp_servers;

  test('headers apply to the Service that the key names', () => {
    expect(server({ config: { headers: { B: 'b' } } })).toEqual({
      'shop/tickets': { ...ticket, config: { ...ticket.config, headers: { A: '{{ env.A }}', B: 'b' } } },
    });
  });

  test.each<Mapping>([
    { config: { url: 'http://other/mcp' } },
    { url: 'http://other/mcp' },
    { config: { mode: 'stdio', command: 'mine' } },
  ])('with another address has nothing of the generated one: %j', (handWritten) => {
    const mine = { ...handWritten, approval_required_tools: ['mine'] };
    expect(server(mine)).toEqual({ 'shop/tickets': mine });
  });

  test.each([
    ['leads elsewhere', { 'shop/tickets': { ...ticket, approval_required_tools: ['run_*'] } }],
    ['is gone', {}],
  ])('with the name of a Service whose server %s asks before each tool, unless people choose', (_, found) => {
    const joinedWith = (more: Mapping, name = 'shop/tickets') => {
      const mine = { config: { url: 'http://tickets.shop:8000/mcp' }, ...more };
      const both = joinDocuments({ mcp_servers: found }, { mcp_servers: { [name]: mine } }, FILE);
      return [own(both.document.mcp_servers, name), both.notes.map((each) => each.note.what)] as const;
    };
    const config = { url: 'http://tickets.shop:8000/mcp' };
    const note = expect.stringMatching(/^has the name of a discovered .* asks before each of its tools$/);
    expect(joinedWith({})).toEqual([{ config, approval_required_tools: ['*'] }, [note]]);
    for (const theirs of [['delete_*'], []])
      expect(joinedWith({ approval_required_tools: theirs })).toEqual([
        { config, approval_required_tools: theirs },
        [],
      ]);
    expect(joinedWith({ approval_required_tools: null })).toEqual([{ config }, []]);
    expect(joinedWith({}, 'tickets')[0]).toEqual({ config });
  });

  test.each<[string, Mapping, JoinOptions, boolean]>([
    ['fewer', { approval_required_tools: ['delete_*'] }, FILE, true],
    ['none', { approval_required_tools: null }, FILE, true],
    ['all of them and more', { approval_required_tools: ['more', 'run_*', 'drop_?'] }, FILE, false],
    ['every tool', { approval_required_tools: ['*'] }, FILE, false],
    ['fewer of a server that is switched off', { approval_required_tools: [], enabled: false }, FILE, false],
    ['nothing else', { config: { headers: {} } }, FILE, false],
    ['fewer, in overrides.yaml', { approval_required_tools: [] }, OVERRIDES, false],
  ])('with a list of a person that has %s is told if the agent may ask less', (_, mine, options, isTold) => {
    const found = { ...ticket, approval_required_tools: ['run_*', 'drop_?'] };
    const servers = (entry: Mapping): Mapping => ({ mcp_servers: { 'shop/tickets': entry } });
    const { notes } = joinDocuments(servers(found), servers(mine), options);
    expect(notes.map(({ note }) => note.what)).toEqual(
      isTold ? [expect.stringContaining('runs without a question')] : [],
    );
  });

  test.each([
    'http://tickets.shop:9090',
    'http://Tickets.shop.svc:9090/mcp',
    'http://tickets.shop.svc.cluster.local.:9090/sse/',
  ])('that is listed under another name is not added again: %s', (theirs) => {
    const mine = { config: { url: theirs }, approval_required_tools: ['run_*'] };
    const { document, notes } = joinDocuments(
      { mcp_servers: { 'shop/tickets': ticket } },
      { mcp_servers: { mine } },
      FILE,
    );
    expect(document.mcp_servers).toEqual({ mine });
    expect(notes).toEqual([
      {
        section: 'mcp_servers',
        name: 'shop/tickets',
        note: { what: 'is not added: a server of your own leads to the same Service or Pods' },
      },
    ]);
  });

  test('that was discovered is not added again through any port, path or host of its Pods', () => {
    const hosts = new Map([[ticket.config.url, ['tickets.shop.svc.cluster.local', '10.96.0.7']]]);
    const left = (theirs: string) =>
      withoutDuplicates(
        { toolsets: {}, mcp_servers: { 'shop/tickets': ticket } },
        { mcp_servers: { mine: { url: theirs } } },
        { hosts },
      );
    for (const theirs of ['http://tickets.shop:1//mcp', 'http://tickets.shop/x', 'http://10.96.0.7/mcp'])
      expect(left(theirs)).toMatchObject({ document: { toolsets: {} }, notes: [{ name: 'shop/tickets' }] });
    expect(left('http://10.96.0.7/mcp').document).not.toHaveProperty('mcp_servers');
    expect(left('http://10.96.0.8/mcp').document).toHaveProperty('mcp_servers');
  });

  test.each<unknown>([{ enabled: false }, null, { approval_required_tools: ['*'] }])(
    'that is configured by its Service is not added again through another Service of the same Pods: %j',
    (rules) => {
      const hosts = new Map([
        [ticket.config.url, ['tickets.shop.svc.cluster.local', 'twin.shop.svc.cluster.local']],
      ]);
      const toolsets = { 'kubernetes/core': { enabled: true } };
      const generated = { toolsets, mcp_servers: { 'shop/tickets': ticket } };
      const by = (name: string) => ({ mcp_servers: { [name]: rules } });
      expect(withoutDuplicates(generated, by('shop/twin'), { hosts }).document).toEqual({ toolsets });
      expect(withoutDuplicates(generated, by('shop/other'), { hosts }).document).toEqual(generated);
      // Its own key is what a person writes rules under.
      expect(withoutDuplicates(generated, by('shop/tickets'), { hosts }).document).toEqual(generated);
      const joined = joinDocuments(generated, by('shop/twin'), { ...OVERRIDES, hosts });
      expect(joined.document.mcp_servers).toEqual({});
      expect(joined.notes[0]).toMatchObject({ name: 'shop/tickets' });
      // Nor in a round that HolmesGPT's refusal of an entry makes.
      expect(withPatch(generated, by('shop/twin') as never, { ...OVERRIDES, hosts }).document).toEqual({
        toolsets,
      });
    },
  );

  test('with another port or path is another server', () => {
    const mine = { config: { url: 'http://tickets.shop:9091' } };
    const { document } = joinDocuments(
      { mcp_servers: { 'shop/tickets': ticket } },
      { mcp_servers: { mine } },
      FILE,
    );
    expect(document.mcp_servers).toEqual({ 'shop/tickets': ticket, mine });
  });
});

test('a hand-written entry has no credentials next to its instances', () => {
  const handWritten = {
    toolsets: {
      'datadog/logs': { config: { api_key: 'k', instances: [{ name: 'a', api_url: 'http://a' }] } },
    },
  };
  expect(joinDocuments({ toolsets: {} }, handWritten, OVERRIDES).document).toEqual({
    toolsets: {
      'datadog/logs': { config: { instances: [{ api_key: 'k', name: 'a', api_url: 'http://a' }] } },
    },
  });
});

test('a secret next to a list of clusters is not written next to other clusters', () => {
  const generated = {
    toolsets: {
      'kafka/admin': { config: { clusters: [{ name: 'kafka.evil', broker: 'kafka.evil.svc:9092' }] } },
    },
  };
  const mine = { name: 'mine', broker: 'kafka.example.com:9092' };
  const handWritten = {
    toolsets: { 'kafka/admin': { config: { username: 'u', password: 'SECRET', clusters: [mine] } } },
  };
  const { document, notes } = joinDocuments(generated, handWritten, FILE);
  expect(JSON.stringify(document)).not.toContain('SECRET');
  expect(document).toMatchObject({
    toolsets: { 'kafka/admin': { config: { clusters: [mine, { name: 'kafka.evil' }] } } },
  });
  expect(notes).toMatchObject([
    { note: { what: expect.stringContaining('username, password: HolmesGPT does not use this') } },
  ]);
});

describe('two texts of operators, where overrides are in the generated document', () => {
  const prometheus = (config: unknown) => ({ toolsets: { 'prometheus/metrics': { config } } });
  const ours = 'http://prometheus.obs.svc.cluster.local:9090';
  const discovered = new Set([ours]);
  const configOf = (generated: unknown, handWritten: unknown, holmesgptVersion: '0.20' | '0.32' = '0.32') => {
    const options = { ...FILE, holmesgptVersion, discovered };
    const { document, notes } = joinDocuments(prometheus(generated), prometheus(handWritten), options);
    const toolsets = document.toolsets as Record<string, { config: unknown }>;
    return { config: toolsets['prometheus/metrics']?.config, notes };
  };
  const headers = { additional_headers: { A: 'SECRET' } };

  test('a backend that overrides name is not lost because of headers without an address', () => {
    const theirs = { name: 'default', prometheus_url: 'http://o.example.com' };
    const found = { name: 'prometheus.obs', prometheus_url: ours };
    const { config, notes } = configOf({ instances: [theirs, found] }, headers);
    expect(config).toEqual({ instances: [theirs] });
    expect(notes).toMatchObject([
      { note: { what: expect.stringContaining('overrides.yaml gives the toolset one') } },
    ]);
    const old = configOf({ prometheus_url: 'http://o.example.com' }, headers, '0.20');
    expect(old.config).toEqual({ prometheus_url: 'http://o.example.com' });
    // Where all are discovered, the headers are for what HolmesGPT finds by itself.
    expect(configOf({ instances: [found] }, headers).config).toEqual(headers);
  });

  test('headers from overrides without an address do not become a backend next to one with an address', () => {
    const { config, notes } = configOf(headers, { prometheus_url: 'http://p.example.com' });
    expect(config).toEqual({ prometheus_url: 'http://p.example.com' });
    expect(notes).toMatchObject([
      { note: { what: expect.stringContaining('overrides.yaml has additional_headers') } },
    ]);
  });

  test('instances stay as they are for a HolmesGPT that does not support them, and no discovered one replaces them', () => {
    const mine = { instances: [{ name: 'a', prometheus_url: 'http://p.example.com' }] };
    const { config, notes } = configOf({ prometheus_url: ours }, mine, '0.20');
    expect(config).toEqual(mine);
    expect(notes).toMatchObject([{ note: { what: expect.stringContaining('from 0.32 on') } }]);
  });
});

describe('an address that is none', () => {
  const CASES: readonly [string, Mapping, string][] = [
    [
      'a number',
      { prometheus_url: 5 },
      'config.prometheus_url must be a string with an address, but is a number',
    ],
    [
      'a mapping',
      { prometheus_url: {} },
      'config.prometheus_url must be a string with an address, but is a mapping',
    ],
    [
      'a list of none',
      { prometheus_url: [5] },
      'config.prometheus_url must be a string with an address, but is a list',
    ],
    [
      'true',
      { prometheus_url: true, ...HEADERS },
      'config.prometheus_url must be a string with an address, but is true',
    ],
  ];

  test.each(CASES)('is named with what is there and what is expected: %s', (_, handWritten, expected) => {
    for (const options of [OVERRIDES, FILE, { ...OVERRIDES, holmesgptVersion: '0.20' as const }])
      expect(joined(one, handWritten, options).notes).toEqual([expect.stringContaining(expected)]);
    if (!('additional_headers' in handWritten))
      expect(joined(one, handWritten, OVERRIDES).config).toEqual(one);
  });

  test('is named in an instance too, if HolmesGPT takes no instances', () => {
    const { notes } = joined(
      one,
      { instances: [{ name: 'a', prometheus_url: 5 }] },
      { ...OVERRIDES, holmesgptVersion: '0.20' },
    );
    expect(notes).toEqual([expect.stringContaining('config.instances.0.prometheus_url must be a string')]);
  });
});

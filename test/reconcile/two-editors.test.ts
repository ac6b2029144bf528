import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Mapping } from '../../src/model/mapping.ts';
import {
  type AgentConfigMap,
  FILE,
  GENERATED,
  HAND_WRITTEN,
} from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import { runMerge } from '../../src/outputs/holmesgpt/merge/merge-task.ts';

/** A parsed YAML document. */
type Json = ReturnType<typeof parse>;
type Change = (file: Json) => void;

const url = (name: string): string => `http://${name}.ns.svc.cluster.local:9090`;
const instance = (name: string, more: Json = {}): Json => ({ name, prometheus_url: url(name), ...more });
const endpoint = (name: string): Json => ({
  hosts: [`${name}.shop.svc`],
  paths: ['/*'],
  methods: ['GET', 'POST'],
});
const server = (name: string, asked: readonly string[] = ['a']): Json => ({
  description: name,
  approval_required_tools: [...asked],
  config: { url: `http://${name}.evil.svc.cluster.local:80/mcp`, mode: 'streamable-http' },
});

const written = (document: Json): string => stringify(document, { aliasDuplicateObjects: false });
const merged = (generated: Json, live: AgentConfigMap, known?: AgentConfigMap) => {
  const texts = known && {
    generated: known.data[GENERATED] ?? '',
    handWritten: known.data[HAND_WRITTEN] ?? '',
  };
  const options = { holmesgptVersion: '0.32', namespace: 'agent' } as const;
  return runMerge({
    kind: 'merge-for-agent',
    offered: written(generated),
    live,
    tools: [],
    remembered: texts && { known: texts },
    options,
  });
};

/** What is there afterwards. */
function published(generated: Json, live: AgentConfigMap, known?: AgentConfigMap): AgentConfigMap {
  const merge = merged(generated, live, known);
  if (merge.kind === 'refused') throw new Error(merge.what);
  if (merge.kind === 'none') return live;
  return {
    data: { ...live.data, ...merge.data },
    annotations: { ...live.annotations, ...merge.annotations },
  };
}

const fileIn = ({ data }: AgentConfigMap): Json => parse(data[FILE] ?? '');

/** A version of the file with a change, and with its first two lines. */
function editOf(version: AgentConfigMap, change: Change): string {
  const file = fileIn(version);
  change(file);
  return `${(version.data[FILE] ?? '').split('\n').slice(0, 2).join('\n')}\n${written(file)}`;
}
const saved = (live: AgentConfigMap, file: string): AgentConfigMap => ({
  ...live,
  data: { ...live.data, [FILE]: file },
});

const GENERATED_NOW: Json = {
  toolsets: {
    'kubernetes/core': { enabled: true },
    'prometheus/metrics': { enabled: true, config: { instances: [instance('p'), instance('q')] } },
    custom: {
      enabled: true,
      type: 'http',
      config: { endpoints: [endpoint('api1'), endpoint('api2'), endpoint('api3')] },
    },
  },
  mcp_servers: { 'evil/bad': server('bad'), 'evil/good': server('good') },
};
const PERSON: Json = {
  toolsets: {
    'prometheus/metrics': { config: { instances: [instance('x', { headers: { Authorization: 'A' } })] } },
  },
  mcp_servers: { mine: { description: 'mine', config: { url: 'http://mine/mcp', mode: 'sse' } } },
};
const START = published(GENERATED_NOW, { data: { [FILE]: written(PERSON) }, annotations: {} });

/** Two persons open the file, and save one after the other; the program publishes something else after the first. */
function both(first: Change, second: Change, later: Json = GENERATED_NOW): Json {
  const file = editOf(START, second);
  return fileIn(published(later, saved(published(later, saved(START, editOf(START, first))), file), START));
}

const instances = (file: Json): Json[] => file.toolsets['prometheus/metrics'].config.instances;
const named = (file: Json): string[] => instances(file).map(({ name }) => name);
const x = (file: Json): Json => instances(file).find(({ name }) => name === 'x') ?? {};
const endpoints = (file: Json): Json[] => file.toolsets.custom.config.endpoints;
const hosts = (file: Json): string[] => endpoints(file).flatMap((each) => each.hosts);
const without = (list: Json[], name: string): void =>
  void list.splice(
    list.findIndex((each) => each.name === name),
    1,
  );

describe('of two persons who edit the file at once, neither undoes what the other one wrote', () => {
  test.each<[string, Change, Change, (file: Json) => unknown, unknown]>([
    [
      'changes of two entries',
      (file) => delete x(file).headers,
      (file) => void endpoints(file).push(endpoint('mine')),
      (file) => [x(file), named(file), hosts(file).length],
      [instance('x'), ['x', 'p', 'q'], 4],
    ],
    [
      'the same change',
      (file) => delete x(file).headers,
      (file) => delete x(file).headers,
      (file) => [x(file), named(file)],
      [instance('x'), ['x', 'p', 'q']],
    ],
    [
      'a removed server',
      (file) => delete file.mcp_servers['evil/bad'],
      (file) => (file.mcp_servers['evil/bad'].description = 'x'),
      (file) => Object.keys(file.mcp_servers).sort(),
      ['evil/good', 'mine'],
    ],
    [
      'a removed toolset',
      (file) => delete file.toolsets['prometheus/metrics'],
      (file) => (file.toolsets['prometheus/metrics'].config.timeout = 3),
      (file) => Object.keys(file.toolsets),
      ['kubernetes/core', 'custom'],
    ],
    [
      'a removed server of their own',
      (file) => delete file.mcp_servers.mine,
      (file) => (file.mcp_servers.mine.description = 'x'),
      (file) => file.mcp_servers.mine,
      undefined,
    ],
    [
      'two removed servers',
      (file) => delete file.mcp_servers['evil/bad'],
      (file) => delete file.mcp_servers['evil/good'],
      (file) => Object.keys(file.mcp_servers),
      ['mine'],
    ],
  ])('%s', (_, first, second, view, expected) => {
    expect(view(both(first, second))).toEqual(expected);
  });

  test('what cannot be kept is said, and the edited file is', () => {
    const removed = published(
      GENERATED_NOW,
      saved(
        START,
        editOf(START, (file) => delete file.mcp_servers['evil/bad']),
      ),
    );
    const file = editOf(START, (now) => (now.mcp_servers['evil/bad'].description = 'x'));
    const merge = merged(GENERATED_NOW, saved(removed, file), START);
    expect(merge).toMatchObject({ change: { kind: 'edited', lost: ['mcp_servers evil/bad'] } });
    if (merge.kind === 'write') expect(merge.data[merge.rejected ?? '']).toBe(file);
  });
});

describe('what both add, or what is gone', () => {
  const nothing = published(
    { toolsets: GENERATED_NOW.toolsets, mcp_servers: GENERATED_NOW.mcp_servers },
    { data: {}, annotations: {} },
  );
  const second = (first: Change, change: Change, later: Json = GENERATED_NOW) => {
    const file = editOf(nothing, change);
    const middle = published(later, saved(nothing, editOf(nothing, first)));
    const live = saved(middle, file);
    const merge = merged(later, live, nothing);
    return {
      merge,
      file: fileIn(published(later, live, nothing)),
      person: parse(published(later, live, nothing).data[HAND_WRITTEN] ?? ''),
    };
  };
  const loki =
    (name: string, more: Json = {}): Change =>
    (file) => {
      file.toolsets['grafana/loki'] = { enabled: true, config: { api_url: url(name), ...more } };
    };
  const nobody: Change = () => {};

  test('an entry that both add is the first one, and no credential stands beside another address', () => {
    const { file, merge } = second(loki('a', { api_key: 'K', verify_ssl: false }), loki('b'));
    expect(file.toolsets['grafana/loki'].config).toEqual({
      api_url: url('a'),
      api_key: 'K',
      verify_ssl: false,
    });
    expect(merge).toMatchObject({ change: { lost: ['toolsets grafana/loki'] } });
  });

  test('of an entry without a configuration, to which both add one, none gets the credentials of the other', () => {
    const bare = published(GENERATED_NOW, {
      data: {
        [FILE]: written({
          toolsets: { 'grafana/loki': { enabled: true }, newrelic: { enabled: true } },
          mcp_servers: { old: { description: 'x', url: 'http://old/mcp' } },
        }),
      },
      annotations: {},
    });
    const both = (first: Change, then: Change): Json => {
      const file = editOf(bare, then);
      return fileIn(
        published(
          GENERATED_NOW,
          saved(published(GENERATED_NOW, saved(bare, editOf(bare, first))), file),
          bare,
        ),
      );
    };
    const config =
      (toolset: string, one: string, more: Json = {}): Change =>
      (file) => {
        file.toolsets[toolset].config = { api_url: url(one), ...more };
      };
    for (const [first, then] of [
      [{ api_key: 'K' }, {}],
      [{}, { api_key: 'K' }],
    ] as const)
      for (const toolset of ['grafana/loki', 'newrelic']) {
        const { config: all } = both(config(toolset, 'a', first), config(toolset, 'b', then)).toolsets[
          toolset
        ];
        const holder = first.api_key === undefined ? url('b') : url('a');
        for (const each of (all.instances ?? [all]) as Json[])
          expect(each.api_key === undefined || each.api_url === holder).toBe(true);
      }
    const headers: Change = (file) => {
      file.mcp_servers.old.config = { headers: { A: 'K' } };
    };
    const moved: Change = (file) => {
      file.mcp_servers.old.url = 'http://new/mcp';
    };
    expect(both(headers, moved).mcp_servers.old).toMatchObject({
      url: 'http://old/mcp',
      config: { headers: { A: 'K' } },
    });
    expect(both(moved, headers).mcp_servers.old).not.toHaveProperty('config.headers');
  });

  test('an option that both add is the first one', () => {
    const key =
      (value: string): Change =>
      (file) => {
        instances(file)[0] = { ...instances(file)[0], api_key: value };
      };
    const { file, merge } = second(key('1'), key('2'));
    expect(instances(file).find(({ name }) => name === 'p')?.api_key).toBe('1');
    expect(merge).toMatchObject({ change: { lost: ['toolsets prometheus/metrics'] } });
  });

  test('an entry that is discovered meanwhile stays beside the added one', () => {
    const later = {
      ...GENERATED_NOW,
      toolsets: {
        ...GENERATED_NOW.toolsets,
        'grafana/loki': { enabled: true, config: { api_url: url('found') } },
      },
    };
    const { file } = second(nobody, loki('mine'), later);
    expect(file.toolsets['grafana/loki'].config.instances.map((each: Json) => each.api_url)).toEqual([
      url('mine'),
      url('found'),
    ]);
  });

  test.each<[string, Change]>([
    ['a header for one', (file) => (instances(file)[1] = instance('q', { headers: { Authorization: 'Z' } }))],
    ['an added one', (file) => void instances(file).push(instance('y'))],
  ])('backends that are all gone do not return with an edit: %s', (_, change) => {
    const { 'prometheus/metrics': gone, ...others } = GENERATED_NOW.toolsets;
    expect(gone).toBeDefined();
    const { file, person, merge } = second(nobody, change, { ...GENERATED_NOW, toolsets: others });
    expect(JSON.stringify([file, person])).not.toMatch(/Authorization|prometheus_url/);
    expect(merge).toMatchObject({ change: { lost: ['toolsets prometheus/metrics'] } });
  });

  test('a server that is withdrawn gets nothing, also if it was the only one', () => {
    const change: Change = (file) => (file.mcp_servers['evil/good'].config.headers = { A: 'C' });
    const { person, merge } = second(nobody, change, { toolsets: GENERATED_NOW.toolsets });
    expect(person ?? {}).not.toHaveProperty('mcp_servers');
    expect(merge).toMatchObject({ change: { lost: ['mcp_servers evil/good'] } });
  });

  test('a server with another address keeps the tools before which the agent asks', () => {
    const moved = 'http://good.evil.svc.cluster.local:81/mcp';
    const { file } = second(nobody, (now) => (now.mcp_servers['evil/good'].config.url = moved));
    expect(file.mcp_servers['evil/good']).toEqual({
      ...server('good'),
      config: { ...server('good').config, url: moved },
    });
  });

  describe("an edit of a person's backend is applied, also if the number of backends changes meanwhile", () => {
    const mine = { headers: { A: 'O' }, timeout_seconds: 3 };
    const person = {
      toolsets: { 'grafana/loki': { enabled: true, config: { api_url: 'https://own', ...mine } } },
    };
    const withLoki = (...names: readonly string[]): Json => ({
      toolsets: {
        'grafana/loki': {
          enabled: true,
          config: {
            instances: names.map((name) => ({ name, api_url: `http://${name}.svc.cluster.local:3100` })),
          },
        },
      },
    });
    const backends = ({ toolsets }: Json): Json[] =>
      toolsets['grafana/loki'].config.instances ?? [toolsets['grafana/loki'].config];
    const headers = (file: Json): Json => backends(file)[0];
    test.each<[string, Json, Json, Change, Json]>([
      [
        'one comes',
        GENERATED_NOW,
        withLoki('loki.evil'),
        (file) => (headers(file).headers = { A: 'N' }),
        { A: 'N' },
      ],
      [
        'one comes, headers go',
        GENERATED_NOW,
        withLoki('loki.evil'),
        (file) => delete headers(file).headers,
        undefined,
      ],
      [
        'the other one goes',
        withLoki('loki.evil'),
        GENERATED_NOW,
        (file) => (headers(file).headers = { A: 'N' }),
        { A: 'N' },
      ],
    ])('%s', (_, before, later, change, expected) => {
      const start = published(before, { data: { [FILE]: written(person) }, annotations: {} });
      const file = editOf(start, change);
      const merge = merged(later, saved(published(later, start), file), start);
      expect(merge).toMatchObject({ change: { lost: [] } });
      const end = merge.kind === 'write' ? parse(merge.data[FILE] ?? '') : {};
      expect(backends(end).find(({ api_url }) => api_url === 'https://own')?.headers).toEqual(expected);
    });
  });

  test("an edit of a person's backend is applied, whatever tenants change on the host of another one of theirs", () => {
    const start = published(GENERATED_NOW, {
      data: {
        [FILE]: written({
          toolsets: {
            'prometheus/metrics': {
              config: { instances: [instance('x'), { name: 'y', prometheus_url: 'http://q.ns:1' }] },
            },
          },
        }),
      },
      annotations: {},
    });
    const file = editOf(start, (now) => (x(now).headers = { A: 'K' }));
    const moved = { ...instance('q'), prometheus_url: `${url('q')}1` };
    const toolset = { enabled: true, config: { instances: [instance('p'), moved] } };
    const later = {
      ...GENERATED_NOW,
      toolsets: { ...GENERATED_NOW.toolsets, 'prometheus/metrics': toolset },
    };
    const merge = merged(later, saved(published(later, start), file), start);
    expect(merge).toMatchObject({ change: { lost: [] } });
  });

  test('who removes one backend, and keeps one of which the port changes meanwhile, is told', () => {
    const metrics = {
      enabled: true,
      config: { instances: [instance('p'), { ...instance('q'), prometheus_url: `${url('q')}1` }] },
    };
    const later = {
      ...GENERATED_NOW,
      toolsets: { ...GENERATED_NOW.toolsets, 'prometheus/metrics': metrics },
    };
    const { file, merge } = second(nobody, (now) => without(instances(now), 'p'), later);
    expect(instances(file)).toEqual(metrics.config.instances);
    expect(merge).toMatchObject({ change: { lost: ['toolsets prometheus/metrics'] } });
  });
});

describe('where both change the same thing, the first one stays, and the second is told and keeps a copy', () => {
  const SECRET = { Authorization: 'B' };
  const custom: Json = {
    enabled: true,
    config: { api_url: 'https://u1.example.com', api_key: 'k1', client_key: 'BEGIN\nA0\nA0\nEND' },
  };
  const person: Json = {
    toolsets: {
      ...PERSON.toolsets,
      newrelic: custom,
      'argocd/core': { enabled: true, config: { server: 'https://u1.example.com' } },
    },
    mcp_servers: {
      ...PERSON.mcp_servers,
      local: {
        description: 'local',
        config: { mode: 'stdio', command: 'npx', args: ['https://one.example.com/mcp'] },
      },
    },
  };
  const start = published(GENERATED_NOW, { data: { [FILE]: written(person) }, annotations: {} });
  test.each<[string, Change, Change, (file: Json) => unknown, unknown]>([
    [
      'the URL of a server to which the other one gave headers',
      (file) => (file.mcp_servers.mine.config.headers = SECRET),
      (file) => (file.mcp_servers.mine.config.url = 'http://other/mcp'),
      (file) => file.mcp_servers.mine.config,
      { url: 'http://mine/mcp', mode: 'sse', headers: SECRET },
    ],
    [
      'headers of a server of which the other one changed the URL',
      (file) => (file.mcp_servers.mine.config.url = 'http://other/mcp'),
      (file) => (file.mcp_servers.mine.config.headers = SECRET),
      (file) => file.mcp_servers.mine.config,
      { url: 'http://other/mcp', mode: 'sse' },
    ],
    [
      'the address of a toolset',
      (file) => (file.toolsets.newrelic.config.api_key = 'k2'),
      (file) => (file.toolsets.newrelic.config.api_url = 'https://u2.example.com'),
      (file) => file.toolsets.newrelic.config,
      { ...custom.config, api_key: 'k2' },
    ],
    [
      'a URL in a field that is not known as an address',
      (file) => (file.toolsets['argocd/core'].config.headers = SECRET),
      (file) => (file.toolsets['argocd/core'].config.server = 'https://u2.example.com'),
      (file) => file.toolsets['argocd/core'].config,
      { server: 'https://u1.example.com', headers: SECRET },
    ],
    [
      'the name of a server for which the other one made the agent ask',
      (file) => (file.mcp_servers.mine.approval_required_tools = ['*']),
      (file) => {
        file.mcp_servers.renamed = file.mcp_servers.mine;
        delete file.mcp_servers.mine;
      },
      (file) => [
        Object.keys(file.mcp_servers).includes('renamed'),
        file.mcp_servers.mine?.approval_required_tools,
      ],
      [false, ['*']],
    ],
    [
      'an instance beside one from which the other one withdrew the headers',
      (file) => delete x(file).headers,
      (file) => void instances(file).push(instance('y')),
      (file) => [x(file), named(file)],
      [instance('x'), ['x', 'p', 'q']],
    ],
    [
      'the URL of an instance of which the other one changed the URL, and removed the headers',
      (file) => {
        x(file).prometheus_url = url('two');
        delete x(file).headers;
      },
      (file) => (x(file).prometheus_url = url('three')),
      (file) => [x(file), named(file)],
      [{ name: 'x', prometheus_url: url('two') }, ['x', 'p', 'q']],
    ],
    [
      'an instance of the name that the other one added',
      (file) => void instances(file).push(instance('y')),
      (file) => void instances(file).push({ ...instance('y'), prometheus_url: url('z') }),
      named,
      ['x', 'y', 'p', 'q'],
    ],
    [
      'the environment of a program of which the other one changed the arguments',
      (file) => (file.mcp_servers.local.config.args = ['https://two.example.com/mcp']),
      (file) => (file.mcp_servers.local.config.env = { TOKEN: 'B' }),
      (file) => file.mcp_servers.local.config,
      { mode: 'stdio', command: 'npx', args: ['https://two.example.com/mcp'] },
    ],
    [
      'a key of several lines that the other one replaced',
      (file) => (file.toolsets.newrelic.config.client_key = 'BEGIN\nA1\nA2\nEND'),
      (file) => (file.toolsets.newrelic.config.client_key = 'BEGIN\nB1\nA0\nEND'),
      (file) => file.toolsets.newrelic.config.client_key,
      'BEGIN\nA1\nA2\nEND',
    ],
    [
      'one instance away from a list in which the other one gave headers to another',
      (file) => ((instances(file).find(({ name }) => name === 'q') ?? {}).headers = SECRET),
      (file) => without(instances(file), 'p'),
      (file) => instances(file).find(({ name }) => name === 'q'),
      instance('q', { headers: SECRET }),
    ],
    [
      'the URL of an instance to which the other one gave headers',
      (file) => (x(file).headers = SECRET),
      (file) => (x(file).prometheus_url = url('moved')),
      (file) => instances(file).filter(({ name }) => name === 'x'),
      [instance('x', { headers: SECRET })],
    ],
    [
      'the hosts of an endpoint to which the other one gave credentials',
      (file) => ((endpoints(file)[0] as Json).auth = SECRET),
      (file) => void (endpoints(file)[0] as Json).hosts.push('more.shop.svc'),
      (file) => endpoints(file).filter((each) => each.hosts.includes('api1.shop.svc')),
      [{ ...endpoint('api1'), auth: SECRET }],
    ],
  ])('%s', (_, first, second, view, expected) => {
    const file = editOf(start, second);
    const middle = published(GENERATED_NOW, saved(start, editOf(start, first)));
    const merge = merged(GENERATED_NOW, saved(middle, file), start);
    if (merge.kind !== 'write') throw new Error(merge.kind);
    expect(view(parse(merge.data[FILE] ?? ''))).toEqual(expected);
    expect(merge.change).toMatchObject({ kind: 'edited' });
    expect(merge.change).not.toHaveProperty('lost', []);
    expect(merge.data[merge.rejected ?? '']).toBe(file);
  });
});

test('the words of a tenant who was withdrawn do not come back with an edit of the text that has them', () => {
  const withText = (...lines: readonly string[]): Json => ({
    ...GENERATED_NOW,
    toolsets: {
      ...GENERATED_NOW.toolsets,
      custom: { ...GENERATED_NOW.toolsets.custom, llm_instructions: lines.join('\n') },
    },
  });
  const start = published(withText('Use them.', '- of a', '- of b'), { data: {}, annotations: {} });
  const later = withText('Use them.', '- of b');
  for (const [text, end] of [
    ['Mine first.\nUse them.\n- of a\n- of b', 'Use them.\n- of b'],
    ['Mine first.\n- of b', 'Mine first.\n- of b'],
  ]) {
    const file = editOf(start, (now) => (now.toolsets.custom.llm_instructions = text));
    const live = published(later, saved(published(later, start), file), start);
    expect(fileIn(live).toolsets.custom.llm_instructions).toBe(end);
  }
});

describe('what was withdrawn while the editor was open stays away', () => {
  const { custom, ...others } = GENERATED_NOW.toolsets;
  const less: Json = {
    ...GENERATED_NOW,
    toolsets: {
      ...others,
      'prometheus/metrics': { enabled: true, config: { instances: [instance('q')] } },
      custom: { ...custom, config: { endpoints: [endpoint('api2'), endpoint('api3')] } },
    },
  };
  const nothing: Change = () => {};
  test.each<[string, Change, (file: Json) => unknown, unknown]>([
    [
      'and another endpoint is removed, which is told',
      (file) => void endpoints(file).splice(1, 1),
      hosts,
      ['api2.shop.svc', 'api3.shop.svc'],
    ],
    ['and the same instance is removed', (file) => without(instances(file), 'p'), named, ['x', 'q']],
    ['and both instances are removed', (file) => void instances(file).splice(1), named, ['x']],
    [
      'and its own paths are narrowed',
      (file) => ((endpoints(file)[0] as Json).paths = ['/x']),
      hosts,
      ['api2.shop.svc', 'api3.shop.svc'],
    ],
    [
      'and something else is changed',
      (file) => (file.toolsets.bash = { enabled: false }),
      (file) => [hosts(file), named(file)],
      [
        ['api2.shop.svc', 'api3.shop.svc'],
        ['x', 'q'],
      ],
    ],
  ])('%s', (_, change, view, expected) => {
    expect(view(both(nothing, change, less))).toEqual(expected);
  });
});

test('who removes a backend from a list is told that the list is theirs', () => {
  const learned = (change: Change): unknown => {
    const merge = merged(GENERATED_NOW, saved(START, editOf(START, change)));
    return merge.kind === 'write' ? merge.learned : merge;
  };
  const whole = ' (its whole list, so discovered backends are not added to it any more)';
  expect(learned((file) => without(instances(file), 'q'))).toEqual([`toolsets prometheus/metrics${whole}`]);
  expect(learned((file) => void endpoints(file).pop())).toEqual([`toolsets custom${whole}`]);
  expect(learned((file) => void instances(file).push(instance('y')))).toEqual([
    'toolsets prometheus/metrics',
  ]);
});

describe('a removed section', () => {
  test.each<[string, Change]>([
    ['that is gone', (file) => delete file.mcp_servers],
    ['that is empty', (file) => (file.mcp_servers = null)],
    ['that is an empty mapping', (file) => (file.mcp_servers = {})],
  ])('%s removes its entries, and not those that come later', (_, change) => {
    const first = published(
      GENERATED_NOW,
      saved(
        START,
        editOf(START, (file) => delete file.mcp_servers['evil/bad']),
      ),
    );
    const second = published(GENERATED_NOW, saved(first, editOf(first, change)));
    expect(fileIn(second)).not.toHaveProperty('mcp_servers');
    const more = {
      ...GENERATED_NOW,
      mcp_servers: { ...GENERATED_NOW.mcp_servers, 'evil/new': server('new') },
    };
    expect(Object.keys(fileIn(published(more, second)).mcp_servers)).toEqual(['evil/new']);
  });
});

test('what somebody writes for an address goes to no other one, whatever is generated meanwhile', () => {
  const names = ['a', 'b', 'c', 'd'] as const;
  const generated = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }).map((found) => {
    const [only] = found;
    const config =
      found.length === 1
        ? { prometheus_url: url(only ?? '') }
        : { instances: found.map((name) => instance(name)) };
    return { toolsets: { 'prometheus/metrics': { enabled: true, config } } } as Json;
  });
  /** Gives each backend a secret of its own, flat or in a list. */
  const secret: Change = (file) => {
    const { config } = file.toolsets['prometheus/metrics'];
    for (const each of config.instances ?? [config]) each.headers = { Authorization: each.prometheus_url };
  };
  fc.assert(
    fc.property(generated, fc.array(generated, { maxLength: 3 }), fc.boolean(), (first, later, isLate) => {
      const start = published(first, { data: {}, annotations: {} });
      const file = editOf(start, secret);
      const latest = later.at(-1) ?? first;
      const follow = (live: AgentConfigMap): AgentConfigMap =>
        later.reduce((now, each) => published(each, now), live);
      const end = isLate
        ? published(latest, saved(follow(start), file), start)
        : follow(published(first, saved(start, file)));
      const { config } = fileIn(end).toolsets['prometheus/metrics'] as { config: Json };
      for (const each of (config.instances ?? [config]) as Json[])
        expect([undefined, each.prometheus_url]).toContain(
          (each.headers as Mapping | undefined)?.Authorization,
        );
      if (config.instances !== undefined) expect(config).not.toHaveProperty('headers');
    }),
    { numRuns: 500 },
  );
});

describe('an edit of what a tenant changed while the editor was open', () => {
  const HELM: Json = { toolsets: { 'prometheus/metrics': { enabled: true } } };
  const flat = (name: string): Json => ({
    toolsets: { 'prometheus/metrics': { enabled: true, config: { prometheus_url: url(name) } } },
  });
  const core: Json = { toolsets: { 'kubernetes/core': { enabled: true } } };
  /** What a save of an edited version gives, when something else is generated meanwhile. */
  const endOf = (person: Json, before: Json, change: Change, later: Json) => {
    const start = published(before, { data: { [FILE]: written(person) }, annotations: {} });
    const file = editOf(start, change);
    const end = published(later, saved(published(later, start), file), start);
    return {
      file: fileIn(end),
      person: parse(end.data[HAND_WRITTEN] ?? ''),
      isKept: Object.values(end.data).includes(file),
    };
  };

  test('a header for a backend that is gone is not applied, also if somebody wrote something else of the toolset', () => {
    const { file, isKept } = endOf(
      HELM,
      flat('p'),
      (now) => (now.toolsets['prometheus/metrics'].config.headers = { Authorization: 'A' }),
      core,
    );
    expect(JSON.stringify(file)).not.toContain('Authorization');
    expect(isKept).toBe(true);
  });

  test('a backend that nobody touched does not become theirs when the others of its list are gone', () => {
    const both: Json = {
      toolsets: {
        'prometheus/metrics': { enabled: true, config: { instances: [instance('p'), instance('q')] } },
      },
    };
    const { person } = endOf({}, both, (now) => void instances(now).push(instance('mine')), flat('p'));
    expect(instances(person)).toEqual([instance('mine')]);
  });

  test('a renamed server is not theirs with the tools before which the agent asked earlier', () => {
    const servers = (...asked: readonly string[]): Json => ({
      mcp_servers: { 'evil/good': server('good', asked) },
    });
    const { file, isKept } = endOf(
      {},
      servers('a'),
      (now) => {
        now.mcp_servers.mine = now.mcp_servers['evil/good'];
        delete now.mcp_servers['evil/good'];
      },
      servers('a', 'b'),
    );
    expect(file.mcp_servers).toEqual(servers('a', 'b').mcp_servers);
    expect(isKept).toBe(true);
  });

  test('who removes a server of which the tools changed removes it', () => {
    const servers = (...asked: readonly string[]): Json => ({
      mcp_servers: { 'evil/good': server('good', asked), 'evil/bad': server('bad') },
    });
    const { file } = endOf({}, servers('a'), (now) => delete now.mcp_servers['evil/good'], servers('a', 'b'));
    expect(Object.keys(file.mcp_servers)).toEqual(['evil/bad']);
  });
});

test('without the memory of versions, an edit of the file beside one of the hand-written text is kept and not applied', () => {
  const live = {
    ...START,
    data: {
      ...START.data,
      [HAND_WRITTEN]: written({ ...PERSON, mcp_servers: { ...PERSON.mcp_servers, more: server('more') } }),
      [FILE]: editOf(START, (file) => (file.toolsets['kubernetes/core'].enabled = false)),
    },
  };
  const end = published(GENERATED_NOW, live);
  expect(fileIn(end).mcp_servers.more).toEqual(server('more'));
  expect(Object.entries(end.data).filter(([key]) => key.includes('rejected'))).toEqual([
    ['custom_toolset.rejected.1.yaml', live.data[FILE]],
  ]);
});

test('a top-level key that HolmesGPT ignores stays in the hand-written text', () => {
  const end = published(
    GENERATED_NOW,
    saved(
      START,
      editOf(START, (file) => (file.mcp_server = { typo: 1 })),
    ),
  );
  expect(parse(end.data[HAND_WRITTEN] ?? '').mcp_server).toEqual({ typo: 1 });
  const next = published(
    GENERATED_NOW,
    saved(
      end,
      editOf(end, (file) => delete file.mcp_servers.mine),
    ),
  );
  expect(parse(next.data[HAND_WRITTEN] ?? '')).toMatchObject({ mcp_server: { typo: 1 } });
});

test('an edit of a file that was made with other settings is kept, and not applied', () => {
  const file = editOf(START, (now) => (now.toolsets['kubernetes/core'].enabled = false));
  const { [GENERATED]: generated = '', [HAND_WRITTEN]: handWritten = '' } = START.data;
  const merge = runMerge({
    kind: 'merge-for-agent',
    offered: written(GENERATED_NOW),
    live: saved(START, file),
    tools: [],
    remembered: { known: { generated, handWritten } },
    options: { holmesgptVersion: '0.20', namespace: 'agent' },
  });
  if (merge.kind !== 'write') throw new Error(merge.kind);
  expect(merge.change).toEqual({ kind: 'rejected', hasVersion: true });
  expect(merge.data[HAND_WRITTEN]).toBe(handWritten);
  expect(merge.data[merge.rejected ?? '']).toBe(file);
});

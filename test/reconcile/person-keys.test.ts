/** Keys of HolmesGPT's ConfigMap that are deleted, replaced or cannot be read, and credentials that people add to what is discovered. */
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  type AgentConfigMap,
  FILE,
  GENERATED,
  HAND_WRITTEN,
} from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import {
  type Change,
  type Cluster,
  cluster,
  FOUND,
  type Json,
  MCP,
  noInternet,
  server,
} from './agent-cluster.ts';

describe('a header that somebody adds to a discovered MCP server in the file', () => {
  const headers = { 'X-K': '{{ env.OURS }}' };
  const addsHeader: Change = (file) => {
    file.mcp_servers[MCP].config.headers = headers;
  };
  const elsewhere = (url: string): Json => ({
    ...FOUND,
    mcp_servers: { ...FOUND.mcp_servers, [MCP]: { ...server('a-mcp'), config: { url, mode: 'sse' } } },
  });
  const sees = server('a-mcp').config;

  test('stays with the address beside it, wherever the owner leads the Service later', () => {
    const it = cluster();
    it.save(it.edit(addsHeader));
    const text = it.wrote().data[HAND_WRITTEN] ?? '';
    expect(parse(text).mcp_servers).toEqual({ [MCP]: { config: { ...sees, headers } } });
    expect(it.file.mcp_servers[MCP]).toEqual({ ...server('a-mcp'), config: { ...sees, headers } });
    for (const url of ['http://a-mcp.shop.svc.cluster.local:9998/mcp', 'http://gw.example.com/mcp']) {
      it.sync(elsewhere(url));
      expect(it.file.mcp_servers[MCP]).toMatchObject({
        config: { ...sees, headers },
        approval_required_tools: ['*'],
      });
    }
  });

  test('also if the owner led it elsewhere while the editor was open', () => {
    const it = cluster();
    const edited = it.edit(addsHeader);
    it.sync(elsewhere('http://gw.example.com/mcp'));
    it.save(edited);
    it.sync(elsewhere('http://gw.example.com/mcp'));
    const { config } = it.file.mcp_servers[MCP];
    expect(config.headers === undefined || config.url === sees.url).toBe(true);
  });

  test('and what is no credential needs no address', () => {
    const it = cluster();
    it.save(
      it.edit((file) => {
        file.mcp_servers[MCP].description = 'Mine.';
        file.mcp_servers[MCP].config.timeout = 30;
      }),
    );
    it.wrote();
    it.sync(elsewhere('http://a-mcp.shop.svc.cluster.local:9998/mcp'));
    expect(it.file.mcp_servers[MCP]).toMatchObject({
      description: 'Mine.',
      config: { mode: 'sse', timeout: 30 },
    });
  });
});

describe('the key of the hand-written text that is deleted', () => {
  const person = '# ours\ntoolsets:\n  mine:\n    enabled: false # for now\n';
  const remove = (it: Cluster, ...keys: readonly string[]): void => {
    const data = Object.entries(it.live.data).filter(([key]) => !keys.includes(key));
    it.live = { ...it.live, data: Object.fromEntries(data) };
  };

  const all = [FILE, HAND_WRITTEN, GENERATED];
  test.each([[[HAND_WRITTEN]], [[HAND_WRITTEN, GENERATED]], [[FILE, HAND_WRITTEN]], [all]])(
    'is back as it was: %j',
    (keys) => {
      const it = cluster(person);
      const before = it.file;
      remove(it, ...keys);
      expect(it.wrote()).toMatchObject({
        data: { [HAND_WRITTEN]: person },
        change: { kind: 'restored', isWhole: true },
      });
      expect(it.file).toEqual(before);
      expect(it.sync().kind).toBe('none');
    },
  );

  test('is back as it was, while the file was edited', () => {
    const it = cluster(person);
    const edited = it.edit(noInternet);
    remove(it, HAND_WRITTEN);
    it.save(edited);
    expect(it.wrote().data[HAND_WRITTEN]).toContain('# ours');
    expect(it.file.toolsets).toMatchObject({ mine: { enabled: false }, internet: { enabled: false } });
  });

  test('is back with what the file has, if the program did not run meanwhile', () => {
    const it = cluster(person);
    remove(it, HAND_WRITTEN);
    it.restart();
    expect(it.wrote().change).toEqual({ kind: 'restored', isWhole: false });
    expect(parse(it.live.data[HAND_WRITTEN] ?? '')).toEqual(parse(person));
    expect(it.sync().kind).toBe('none');
  });

  test('is back as it was, in a ConfigMap that was created again without the file, or with an empty one', () => {
    for (const data of [{ 'model_list.yaml': 'm: 1' }, { [FILE]: '' }]) {
      const it = cluster(person);
      it.live = { data: data as AgentConfigMap['data'], annotations: {} };
      expect(it.wrote()).toMatchObject({ data: { [HAND_WRITTEN]: person }, change: { kind: 'restored' } });
    }
  });

  test('is gone together with the file, if the program did not run meanwhile, which is told once', () => {
    for (const [text, change] of [
      [person, { kind: 'gone' }],
      ['', undefined],
    ] as const) {
      const it = cluster(text);
      remove(it, ...all);
      it.restart();
      expect(it.wrote().change).toEqual(change);
      expect(it.sync().kind).toBe('none');
    }
  });

  test('is kept in a copy, if the ConfigMap was created again with another file', () => {
    const it = cluster(person);
    it.live = { data: { [FILE]: 'toolsets:\n  theirs:\n    enabled: false\n' }, annotations: {} };
    const { rewritten } = it.wrote();
    expect(rewritten?.entries).toEqual(['toolsets mine']);
    expect(it.live.data[rewritten?.key ?? '']).toBe(person);
    expect(it.file.toolsets).toHaveProperty('theirs');
  });

  test('is not mentioned if people wrote nothing', () => {
    for (const keys of [[HAND_WRITTEN], all]) {
      const it = cluster('');
      remove(it, ...keys);
      expect(it.wrote().change).toBeUndefined();
    }
  });
});

describe('the hand-written text that cannot be read', () => {
  const helm = 'toolsets:\n  helm:\n    enabled: false\n';
  const broken = 'toolsets:\n  mine: {}\n  mine: {}\n';

  test.each([true, false])('is not replaced by another file, with the generated text: %j', (isWhole) => {
    const it = cluster();
    it.save(broken, HAND_WRITTEN);
    it.save(helm);
    const { [GENERATED]: _, ...data } = it.live.data;
    if (!isWhole) it.live = { ...it.live, data };
    expect(it.sync()).toMatchObject({ kind: 'refused', what: expect.stringContaining(HAND_WRITTEN) });
  });

  test('is kept in a copy once it was corrected, if another file replaces it', () => {
    const it = cluster();
    it.save(broken, HAND_WRITTEN);
    it.save(helm);
    it.sync();
    const corrected = 'toolsets:\n  corrected:\n    enabled: false\n';
    it.save(corrected, HAND_WRITTEN);
    const { rewritten, change } = it.wrote();
    expect([rewritten?.entries, change]).toEqual([['toolsets corrected'], { kind: 'replaced' }]);
    expect(it.live.data[rewritten?.key ?? '']).toBe(corrected);
    expect(it.sync().kind).toBe('none');
  });
});

test('both texts that are taken away from beside an unchanged file are restored', () => {
  const it = cluster();
  const before = it.live.data;
  it.live = { ...it.live, data: { [FILE]: it.text } };
  it.wrote();
  expect([it.live.data[HAND_WRITTEN], it.live.data[GENERATED]]).toEqual([
    before[HAND_WRITTEN],
    before[GENERATED],
  ]);
});

describe('a ConfigMap that is replaced by one with only the file', () => {
  const replaced = (it: Cluster, file: string): void => {
    it.live = { data: { [FILE]: file }, annotations: {} };
  };

  test('has the edits of the file, and nothing that was found becomes hand-written', () => {
    const it = cluster();
    const person = it.live.data[HAND_WRITTEN];
    replaced(it, it.edit(noInternet));
    it.wrote();
    expect(it.live.data[HAND_WRITTEN]).toBe(`${person}  internet:\n    enabled: false\n`);
    const left = it.wrote({ ...FOUND, mcp_servers: {} });
    expect(parse(left.data[FILE] ?? '').mcp_servers ?? {}).toEqual({});
  });

  test('is left as it is if it is unknown what people wrote, until they say so', () => {
    const it = cluster();
    it.restart();
    const file = it.edit(noInternet);
    replaced(it, file);
    const refused = it.sync();
    expect(refused).toMatchObject({ kind: 'refused', what: expect.stringContaining('keys') });
    it.save('', HAND_WRITTEN);
    const { change, rejected } = it.wrote();
    expect(change).toEqual({ kind: 'rejected', hasVersion: true });
    expect(it.live.data[rejected ?? '']).toBe(file);
    const whole = cluster();
    whole.restart();
    replaced(whole, whole.text.split('\n').slice(2).join('\n'));
    whole.wrote();
    expect(parse(whole.live.data[HAND_WRITTEN] ?? '').mcp_servers).toHaveProperty([MCP]);
  });

  test('without its first line is a new file, without the line of its version', () => {
    const it = cluster();
    it.save(it.edit(noInternet).split('\n').slice(1).join('\n'));
    it.wrote();
    expect(it.live.data[HAND_WRITTEN]).not.toContain('Version');
  });

  test('and is of another version than its line says is not compared with that', () => {
    const it = cluster();
    const file = it.edit(noInternet);
    it.restart();
    it.live = {
      data: { ...it.live.data, [GENERATED]: stringify({ toolsets: {} }), [FILE]: file },
      annotations: {},
    };
    expect(it.wrote().change).toEqual({ kind: 'rejected', hasVersion: true });
  });
});

test('in a ConfigMap that is created again, nothing counts as changed that was changed in the former one', () => {
  const it = cluster();
  it.save(it.edit(noInternet));
  it.wrote();
  it.live = { data: { [HAND_WRITTEN]: '' }, annotations: {} };
  it.wrote();
  const stale = it.edit(noInternet);
  it.wrote({ ...FOUND, mcp_servers: {} });
  it.save(stale);
  expect(it.wrote({ ...FOUND, mcp_servers: {} }).change).toEqual({ kind: 'edited', lost: [] });
});

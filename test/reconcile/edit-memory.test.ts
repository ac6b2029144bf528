/** Edits of HolmesGPT's ConfigMap that only the memory of earlier ones explains: two saves from one copy, undone edits, replaced keys. */
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  type AgentConfigMap,
  FILE,
  GENERATED,
  HAND_WRITTEN,
} from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import { EditMemory } from '../../src/outputs/holmesgpt/merge/edit-memory.ts';
import type { AgentMerge } from '../../src/outputs/holmesgpt/merge/merge.ts';
import { runMerge } from '../../src/outputs/holmesgpt/merge/merge-task.ts';

/** A parsed YAML document. */
type Json = ReturnType<typeof parse>;
type Change = (file: Json) => void;

const MCP = 'shop/a-mcp';
const server = (name: string): Json => ({
  description: name,
  approval_required_tools: ['delete_*'],
  config: { url: `http://${name}.shop.svc.cluster.local:8000/mcp`, mode: 'streamable-http' },
});
const CORP: Json = { config: { url: 'https://corp', headers: { Authorization: 'Bearer {{ env.CORP }}' } } };
const FOUND: Json = {
  toolsets: { 'kubernetes/core': { enabled: true } },
  mcp_servers: { [MCP]: server('a-mcp'), 'shop/c-mcp': server('c-mcp') },
};
const PLACE = 'holmesgpt/custom-toolsets';

/** HolmesGPT's ConfigMap, with this program and people who write it. */
class Cluster {
  live: AgentConfigMap;
  #memory = new EditMemory(new Map());

  constructor(person: string) {
    this.live = { data: { [HAND_WRITTEN]: person }, annotations: {} };
    this.sync();
  }

  /** This program finds what others wrote. */
  sync(found: Json = FOUND): AgentMerge {
    const merge = runMerge({
      kind: 'merge-for-agent',
      offered: stringify(found, { aliasDuplicateObjects: false }),
      live: this.live,
      tools: [],
      remembered: this.#memory.of(PLACE, this.live),
      options: { holmesgptVersion: '0.32', namespace: 'holmesgpt' },
    });
    if (merge.kind === 'none') this.#memory.unchanged(PLACE, this.live);
    if (merge.kind !== 'write') return merge;
    this.#memory.wrote(PLACE, merge);
    this.live = {
      data: { ...this.live.data, ...merge.data },
      annotations: { ...this.live.annotations, ...merge.annotations },
    };
    return merge;
  }

  /** The same, which must write. */
  wrote(found?: Json): AgentMerge & { readonly kind: 'write' } {
    const merge = this.sync(found);
    if (merge.kind !== 'write') throw new Error(merge.kind === 'none' ? 'none' : merge.what);
    return merge;
  }

  /** The program starts anew. */
  restart(): void {
    this.#memory = new EditMemory(new Map());
  }

  get text(): string {
    return this.live.data[FILE] ?? '';
  }

  get file(): Json {
    return parse(this.text);
  }

  /** A copy of the file in an editor, with a change. */
  edit(change: Change, text = this.text): string {
    const file = parse(text);
    change(file);
    return `${text.split('\n').slice(0, 2).join('\n')}\n${stringify(file)}`;
  }

  save(text: string, key = FILE): void {
    this.live = { ...this.live, data: { ...this.live.data, [key]: text } };
  }
}

const cluster = (person = 'toolsets:\n  mine:\n    enabled: false\n'): Cluster => new Cluster(person);

const asksLess: Change = (file) => {
  file.mcp_servers[MCP].approval_required_tools = ['nothing'];
};
const addsCorp: Change = (file) => {
  file.mcp_servers.corp = CORP;
};
const noInternet: Change = (file) => {
  file.toolsets.internet = { enabled: false };
};

describe('an edit that is saved again from its own copy', () => {
  test('does not bring back what was removed meanwhile', () => {
    const it = cluster();
    const mine = it.edit(addsCorp);
    it.save(mine);
    it.wrote();
    it.save(
      it.edit((file) => {
        delete file.mcp_servers.corp;
      }),
    );
    it.wrote();
    it.save(it.edit(noInternet, mine));
    expect(it.wrote()).toMatchObject({ change: { lost: ['mcp_servers corp'] } });
    expect(it.file.mcp_servers).not.toHaveProperty('corp');
    expect(it.file.toolsets.internet).toEqual({ enabled: false });
  });

  test('does not undo what others added to the same entry', () => {
    const it = cluster();
    const mine = it.edit(addsCorp);
    it.save(mine);
    it.wrote();
    it.save(
      it.edit((file) => {
        file.mcp_servers.corp.approval_required_tools = ['*'];
      }),
    );
    it.wrote();
    it.save(it.edit(noInternet, mine));
    expect(it.wrote().change).toEqual({ kind: 'edited', lost: ['mcp_servers corp'] });
    expect(it.file.mcp_servers.corp.approval_required_tools).toEqual(['*']);
  });

  test('does not keep anybody from making it again in the file as it is', () => {
    const it = cluster();
    const [before, mine] = [it.file, it.edit(addsCorp)];
    it.save(mine);
    it.wrote();
    it.save(
      it.edit((file) => {
        delete file.mcp_servers.corp;
      }),
    );
    it.wrote();
    expect(it.file).toEqual(before);
    it.save(mine);
    it.wrote();
    expect(it.file).toEqual(before);
    it.save(it.edit(addsCorp));
    it.wrote();
    expect(it.file.mcp_servers.corp).toEqual(CORP);
  });

  test('loses again what it lost before', () => {
    const it = cluster();
    const theirs = it.edit((file) => {
      file.mcp_servers[MCP].approval_required_tools = ['*'];
    });
    const mine = it.edit(asksLess);
    it.save(theirs);
    it.wrote();
    for (const _ of [1, 2]) {
      it.save(mine);
      expect(it.wrote()).toMatchObject({ change: { kind: 'edited', lost: [`mcp_servers ${MCP}`] } });
      expect(it.file.mcp_servers[MCP].approval_required_tools).toEqual(['*']);
    }
  });
});

describe('a file that is put back', () => {
  const others = { kind: 'edited', lost: [], others: [`mcp_servers ${MCP}`, 'mcp_servers corp'] };
  const both: Change = (file) => {
    asksLess(file);
    addsCorp(file);
  };

  test('to an earlier version undoes nothing, and its author learns that', () => {
    const it = cluster();
    const before = it.text;
    it.save(it.edit(both));
    it.wrote();
    const now = it.file;
    it.save(before);
    expect(it.wrote().change).toEqual(others);
    expect(it.file).toEqual(now);
  });

  test('by somebody who saw an edit that was not merged yet is told, too, also with other edits', () => {
    const it = cluster();
    const unmerged = it.edit(both);
    it.save(unmerged);
    it.wrote();
    const undone = it.edit((file) => {
      delete file.mcp_servers.corp;
      file.mcp_servers[MCP].approval_required_tools = ['delete_*'];
      noInternet(file);
    }, unmerged);
    it.save(undone);
    expect(it.wrote().change).toEqual(others);
    expect(it.file.toolsets.internet).toEqual({ enabled: false });
  });
});

describe('the hand-written text that is saved', () => {
  test('from before an edit of the file loses that edit, which is told, and its text is kept', () => {
    const it = cluster();
    const stale = `${it.live.data[HAND_WRITTEN]}# note\n`;
    it.save(it.edit(addsCorp));
    it.wrote();
    it.save(it.edit(noInternet));
    const edited = it.wrote().data[HAND_WRITTEN];
    it.save(stale, HAND_WRITTEN);
    const { rewritten } = it.wrote();
    expect(rewritten?.entries).toEqual(['toolsets internet', 'mcp_servers corp']);
    expect(it.live.data[rewritten?.key ?? '']).toBe(edited);
    expect(it.sync().kind).toBe('none');
  });

  test('is the latest word, and what it changes or lacks is told', () => {
    for (const [change, entries] of [
      [(text: string) => `${text}# note\n`, undefined],
      [(text: string) => text.replace('https://corp', 'https://other'), ['mcp_servers corp']],
      [(text: string) => `${text}  more:\n    config: {url: "https://more"}\n`, undefined],
      [
        (text: string) => text.replace(/ {2}corp:[\s\S]*/, '  other:\n    enabled: false\n'),
        ['mcp_servers corp'],
      ],
    ] as const) {
      const it = cluster();
      it.save(it.edit(addsCorp));
      it.wrote();
      it.save(change(it.live.data[HAND_WRITTEN] ?? ''), HAND_WRITTEN);
      expect(it.sync()).toMatchObject(entries === undefined ? {} : { rewritten: { entries } });
      expect(it.sync().kind).toBe('none');
    }
  });
});

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

describe('the hand-written text that is saved, from an editor that was open for long,', () => {
  const off: Change = (file) => {
    file.mcp_servers[MCP].enabled = false;
  };
  const told = `mcp_servers ${MCP}`;

  test('from before the second of two edits of an entry', () => {
    const it = cluster();
    it.save(
      it.edit((file) => {
        file.mcp_servers[MCP].description = 'Mine.';
      }),
    );
    it.wrote();
    const stale = `${it.live.data[HAND_WRITTEN]}  more:\n    config: {url: "https://more"}\n`;
    it.save(it.edit(off));
    const edited = it.wrote().data[HAND_WRITTEN];
    it.save(stale, HAND_WRITTEN);
    const { rewritten } = it.wrote();
    expect(rewritten?.entries).toEqual([told]);
    expect(it.live.data[rewritten?.key ?? '']).toBe(edited);
  });

  test('after a restart', () => {
    const it = cluster();
    const stale = `${it.live.data[HAND_WRITTEN]}  internet:\n    enabled: false\n`;
    it.save(it.edit(off));
    it.wrote();
    it.restart();
    it.sync();
    it.save(stale, HAND_WRITTEN);
    expect(it.wrote().rewritten?.entries).toEqual([told]);
  });

  test('while the program did not run', () => {
    const it = cluster();
    const stale = `${it.live.data[HAND_WRITTEN]}  internet:\n    enabled: false\n`;
    it.save(it.edit(off));
    const file = it.wrote().data[FILE];
    it.save(stale, HAND_WRITTEN);
    it.restart();
    const { rewritten } = it.wrote();
    expect(rewritten?.entries).toEqual([told]);
    expect(it.live.data[rewritten?.key ?? '']).toBe(file);
    it.restart();
    expect(it.sync().kind).toBe('none');
  });

  test('beside another editor of it', () => {
    const it = cluster();
    const before = it.live.data[HAND_WRITTEN] ?? '';
    it.save(`${before}mcp_servers:\n  ${MCP}:\n    approval_required_tools: ["*"]\n`, HAND_WRITTEN);
    expect(it.wrote().rewritten).toBeUndefined();
    it.save(`${before}mcp_servers:\n  shop/c-mcp:\n    description: Mine.\n`, HAND_WRITTEN);
    expect(it.wrote().rewritten?.entries).toEqual([told]);
  });
});

describe('an entry that was changed, and changed back, counts as changed', () => {
  const loki = (name: string): Json => ({ name, api_url: `http://${name}.svc.cluster.local:3100` });
  const found = {
    ...FOUND,
    toolsets: {
      'grafana/loki': { enabled: true, config: { instances: [loki('loki.evil'), loki('loki.shop')] } },
    },
  };
  const configIn = (file: Json): Json => file.toolsets['grafana/loki'].config;

  test('so a header that somebody withdrew does not return with a second save of the same copy', () => {
    const it = cluster();
    it.wrote(found);
    const first = it.edit((file) => {
      configIn(file).instances[0].additional_headers = { Authorization: '{{ env.L }}' };
    });
    it.save(first);
    it.wrote(found);
    it.save(
      it.edit((file) => {
        for (const each of configIn(file).instances) delete each.additional_headers;
      }),
    );
    it.wrote(found);
    expect(it.text).not.toContain('env.L');
    it.save(
      it.edit((file) => {
        configIn(file).timeout_seconds = 33;
      }, first),
    );
    expect(it.wrote(found).change).toEqual({ kind: 'edited', lost: ['toolsets grafana/loki'] });
    expect(it.text).not.toContain('env.L');
  });

  test('so a list of questions is not loosened by it', () => {
    const it = cluster();
    const first = it.edit(asksLess);
    it.save(first);
    it.wrote();
    it.save(
      it.edit((file) => {
        file.mcp_servers[MCP].approval_required_tools = ['delete_*'];
      }),
    );
    it.wrote();
    it.save(
      it.edit((file) => {
        file.mcp_servers[MCP].description = 'Mine.';
      }, first),
    );
    it.wrote();
    expect(it.file.mcp_servers[MCP].approval_required_tools).toEqual(['delete_*']);
  });

  test('and a list item whose header was withdrawn does not keep it at another address', () => {
    const it = cluster();
    const secret = { additional_headers: { Authorization: '{{ env.OPERATOR }}' } };
    const [evil, shop] = [loki('loki.evil'), loki('loki.shop')];
    const paired = {
      'grafana/loki': { enabled: true, config: { instances: [evil, { ...shop, ...secret }] } },
    };
    it.wrote({ ...FOUND, toolsets: paired });
    const stale = it.edit((file) => {
      configIn(file).instances[1].api_url += '/gw';
    });
    it.wrote(found);
    it.save(stale);
    expect(it.wrote(found).change).toEqual({ kind: 'edited', lost: ['toolsets grafana/loki'] });
    expect(it.text).not.toContain('env.OPERATOR');
  });
});

describe('a list of tools before which the agent asks', () => {
  const withList = (list: readonly string[]): Json => ({
    ...FOUND,
    mcp_servers: { ...FOUND.mcp_servers, [MCP]: { ...server('a-mcp'), approval_required_tools: list } },
  });
  const listed = (it: Cluster): Json => it.file.mcp_servers[MCP].approval_required_tools;
  const stricter: Change = (file) => {
    file.mcp_servers[MCP].approval_required_tools.push('get_x');
  };

  test('is not loosened by a tenant while somebody makes it stricter', () => {
    const it = cluster();
    const stale = it.edit(stricter);
    it.wrote(withList(['other_*']));
    it.save(stale);
    expect(it.wrote(withList(['other_*'])).change).toEqual({ kind: 'edited', lost: [`mcp_servers ${MCP}`] });
    expect(listed(it)).toEqual(['other_*']);
  });

  test('stays with a server to which somebody gives another address meanwhile', () => {
    const it = cluster();
    const stale = it.edit((file) => {
      file.mcp_servers[MCP].config.url = 'https://mine/mcp';
    });
    it.wrote(withList(['other_*']));
    it.save(stale);
    expect(it.wrote(withList(['other_*'])).change).toEqual({ kind: 'edited', lost: [`mcp_servers ${MCP}`] });
    expect(listed(it)).toEqual(['other_*']);
  });

  test("that was generated does not become the person's with an edit that is not applied", () => {
    const it = cluster();
    const stale = it.edit(stricter);
    it.save(
      it.edit((file) => {
        file.mcp_servers[MCP].description = 'Mine.';
      }),
    );
    it.wrote();
    it.save(stale);
    expect(it.wrote().change).toMatchObject({ lost: [`mcp_servers ${MCP}`] });
    it.wrote(withList(['*']));
    expect(listed(it)).toEqual(['*']);
  });

  test('that a person wrote is not applied, and that is told, also if the same is generated at that moment', () => {
    const it = cluster();
    const stale = it.edit((file) => {
      file.mcp_servers[MCP].approval_required_tools = ['*'];
    });
    it.wrote(withList(['*']));
    it.save(stale);
    expect(it.wrote(withList(['*'])).change).toEqual({ kind: 'edited', lost: [`mcp_servers ${MCP}`] });
  });
});

describe('what was withdrawn', () => {
  const loki = (name: string, more: Json = {}): Json => ({
    ...{ name, api_url: `http://${name}.svc.cluster.local:3100` },
    ...more,
  });
  const found = (more?: Json): Json => ({
    ...FOUND,
    toolsets: {
      'grafana/loki': { enabled: true, config: { instances: [loki('loki.evil'), loki('loki.shop', more)] } },
    },
  });
  const secret = { additional_headers: { Authorization: 'Bearer {{ env.OP }}' } };
  const tools = {
    enabled: true,
    tools: [{ name: 'restart', description: 'd', script: 'curl {{ env.TOKEN }}' }],
  };

  test('does not come back as a copy in a list', () => {
    const it = cluster();
    it.wrote(found(secret));
    const stale = it.edit((file) => {
      const { instances } = file.toolsets['grafana/loki'].config;
      instances.push({ ...instances[1], name: 'slow' });
    });
    it.wrote(found());
    it.save(stale);
    expect(it.wrote(found()).change).toEqual({ kind: 'edited', lost: ['toolsets grafana/loki'] });
    expect(it.text).not.toContain('env.OP');
  });

  test('does not come back with another change of its backend, also if the same is left for another one', () => {
    const it = cluster();
    const both = (more?: Json): Json => {
      const { toolsets, ...others } = found(more);
      toolsets['grafana/loki'].config.instances.push(loki('loki.other', secret));
      return { ...others, toolsets };
    };
    it.wrote(both(secret));
    const stale = it.edit((file) => {
      file.toolsets['grafana/loki'].config.instances[1].timeout_seconds = 3;
    });
    it.wrote(both());
    it.save(stale);
    expect(it.wrote(both()).change).toEqual({ kind: 'edited', lost: ['toolsets grafana/loki'] });
    expect(it.text.match(/env\.OP/g)).toHaveLength(1);
  });

  test('does not come back in an entry with another name and another address, or none', () => {
    const it = cluster(stringify({ toolsets: { tools }, mcp_servers: { corp: CORP } }));
    const stale = it.edit((file) => {
      file.toolsets.other = file.toolsets.tools;
      file.mcp_servers.other = { config: { ...file.mcp_servers.corp.config, url: 'https://other' } };
    });
    it.save('{}\n', HAND_WRITTEN);
    it.wrote();
    it.save(stale);
    expect(it.wrote().change).toMatchObject({ lost: ['toolsets other', 'mcp_servers other'] });
    expect(it.text).not.toContain('env.');
  });

  test('does not come back if the ConfigMap is replaced by one with only an earlier file', () => {
    const it = cluster(stringify({ mcp_servers: { corp: CORP } }));
    const earlier = it.text;
    it.save('mcp_servers:\n  mine:\n    config: {url: "https://mine"}\n', HAND_WRITTEN);
    it.wrote();
    it.live = { data: { [FILE]: earlier }, annotations: {} };
    const { change } = it.wrote();
    expect(change).toMatchObject({ others: ['mcp_servers mine', 'mcp_servers corp'] });
    expect(Object.keys(it.file.mcp_servers)).toContain('mine');
    expect(it.file.mcp_servers).not.toHaveProperty('corp');
  });
});

describe('an entry with another name, saved after what it was changed,', () => {
  const renamed =
    (from: string, to: string, more: Json = {}): Change =>
    (file) => {
      file.mcp_servers[to] = { ...file.mcp_servers[from], ...more };
      delete file.mcp_servers[from];
    };
  const person = stringify({ mcp_servers: { ext: CORP } });
  const { [MCP]: _, ...others } = FOUND.mcp_servers;
  const asking = {
    ...FOUND,
    mcp_servers: { ...others, [MCP]: { ...server('a-mcp'), approval_required_tools: ['*'] } },
  };
  const spelled = { config: { url: 'http://a-mcp.shop:8000/mcp' } };
  const copied: Change = (file) => {
    file.mcp_servers.mine = {
      ...file.mcp_servers[MCP],
      config: { ...file.mcp_servers[MCP].config, headers: {} },
    };
  };

  test.each<[string, Change, Json, readonly string[]]>([
    ['of a server that is not found any more', renamed(MCP, 'mine'), { ...FOUND, mcp_servers: others }, []],
    ['of a server that asks before other tools now', renamed(MCP, 'mine'), asking, ['*']],
    ['in another spelling', renamed(MCP, 'mine', spelled), asking, ['*']],
    ['as a copy', copied, asking, ['*']],
  ])('%s, is not added', (_, change, found, asks) => {
    const it = cluster();
    const stale = it.edit(change);
    it.wrote(found);
    it.save(stale);
    expect(it.wrote(found).change).toMatchObject({ lost: expect.arrayContaining(['mcp_servers mine']) });
    expect(it.file.mcp_servers).not.toHaveProperty('mine');
    expect(it.file.mcp_servers[MCP]?.approval_required_tools ?? []).toEqual(asks);
  });

  test('of a server that its author removed, or renamed otherwise, is not added', () => {
    const removal: Change = (file) => {
      delete file.mcp_servers.ext;
    };
    for (const [meanwhile, left] of [
      [removal, []],
      [renamed('ext', 'ext2'), ['ext2']],
    ] as const) {
      const it = cluster(person);
      const stale = it.edit(renamed('ext', 'ext3'));
      it.save(it.edit(meanwhile));
      it.wrote();
      it.save(stale);
      expect(it.wrote().change).toMatchObject({ lost: ['mcp_servers ext3'] });
      expect(Object.keys(it.file.mcp_servers).filter((name) => name.startsWith('ext'))).toEqual(left);
    }
  });

  test('of a server that was changed, and changed back, is not added', () => {
    const it = cluster(person);
    const stale = it.edit(renamed('ext', 'ext3'));
    for (const description of ['x', undefined]) {
      it.save(
        it.edit((file) => {
          file.mcp_servers.ext.description = description;
        }),
      );
      it.wrote();
    }
    it.save(stale);
    expect(it.wrote().change).toMatchObject({ lost: expect.arrayContaining(['mcp_servers ext3']) });
    expect(Object.keys(it.file.mcp_servers).filter((name) => name.startsWith('ext'))).toEqual(['ext']);
  });

  test('of a program is not added, and another program with the same command is', () => {
    const program = (args: readonly string[]): Json => ({ config: { mode: 'stdio', command: 'npx', args } });
    for (const [args, isAdded] of [
      [['a'], false],
      [['b'], true],
    ] as const) {
      const it = cluster(stringify({ mcp_servers: { ext: program(['a']) } }));
      const stale = it.edit((file) => {
        file.mcp_servers.ext3 = program(args);
      });
      it.save(
        it.edit((file) => {
          delete file.mcp_servers.ext;
        }),
      );
      it.wrote();
      it.save(stale);
      it.wrote();
      expect(Object.hasOwn(it.file.mcp_servers, 'ext3')).toBe(isAdded);
    }
  });

  test('is added if nothing of it changed', () => {
    const it = cluster(person);
    const stale = it.edit(renamed('ext', 'ext3'));
    it.save(it.edit(noInternet));
    it.wrote({ ...FOUND, mcp_servers: { ...FOUND.mcp_servers, 'shop/d-mcp': server('d-mcp') } });
    it.save(stale);
    expect(it.wrote().change).toMatchObject({ lost: [] });
    expect(it.file.mcp_servers.ext3).toEqual(CORP);
    expect(it.file.mcp_servers).not.toHaveProperty('ext');
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

test('an entry that is both generated and hand-written can be removed in the file', () => {
  const it = cluster();
  const pinned = stringify({ mcp_servers: { 'shop/c-mcp': it.file.mcp_servers['shop/c-mcp'] } });
  it.save(pinned, HAND_WRITTEN);
  const before = it.text;
  it.wrote();
  it.save(
    it.edit((file) => {
      delete file.mcp_servers['shop/c-mcp'];
    }),
  );
  expect(it.wrote().change).toEqual({ kind: 'edited', lost: [] });
  expect(it.text).not.toBe(before);
  expect(it.file.mcp_servers).not.toHaveProperty(['shop/c-mcp']);
});

test('a copy has a valid key, whatever keys there are', () => {
  const it = cluster();
  it.save('# mine', 'custom_toolset.rejected.9999999999999999999999.yaml');
  it.save('# mine, too', 'custom_toolset.rejected.7.yaml');
  it.save(it.edit(noInternet).replace(/# Version.*\n/, ''));
  expect(it.wrote().rejected).toBe('custom_toolset.rejected.8.yaml');
});

describe('a server of a person with the name of a Service', () => {
  const MINE = stringify({
    mcp_servers: { [MCP]: { config: { ...server('a-mcp').config, headers: { Authorization: 'mine' } } } },
  });

  test('never loses the list of tools before which the agent asks, unless a person removes it', () => {
    const it = cluster(MINE);
    expect(it.file.mcp_servers[MCP].approval_required_tools).toEqual(['delete_*']);
    const { [MCP]: _, ...others } = FOUND.mcp_servers;
    it.wrote({ ...FOUND, mcp_servers: others });
    expect(it.file.mcp_servers[MCP].approval_required_tools).toEqual(['*']);
    const edit = it.edit((file) => {
      delete file.mcp_servers[MCP].approval_required_tools;
    });
    it.save(edit);
    it.wrote({ ...FOUND, mcp_servers: others });
    expect(it.file.mcp_servers[MCP]).not.toHaveProperty('approval_required_tools');
  });
});

/** Edits of HolmesGPT's ConfigMap that only the memory of earlier ones explains: two saves from one copy, undone edits. */
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { FILE, HAND_WRITTEN } from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import {
  addsCorp,
  asksLess,
  type Change,
  type Cluster,
  CORP,
  cluster,
  FOUND,
  type Json,
  MCP,
  noInternet,
  server,
} from './agent-cluster.ts';

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

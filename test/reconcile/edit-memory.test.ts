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
    this.#memory.wrote(PLACE, this.live, merge);
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
    expect(it.wrote()).toMatchObject({ change: { lost: [], others: ['mcp_servers corp'] } });
    expect(it.file.mcp_servers).not.toHaveProperty('corp');
    expect(it.file.toolsets.internet).toEqual({ enabled: false });
  });

  test('is not a change of what others added to the same entry', () => {
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
    expect(it.wrote().change).toEqual({ kind: 'edited', lost: [], others: ['mcp_servers corp'] });
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
    const { undone } = it.wrote();
    expect(undone?.entries).toEqual(['toolsets internet', 'mcp_servers corp']);
    expect(it.live.data[undone?.key ?? '']).toBe(edited);
    expect(it.sync().kind).toBe('none');
  });

  test('with these edits, or with other changes of the same, is the latest word', () => {
    for (const [change, entries] of [
      [(text: string) => `${text}# note\n`, undefined],
      [(text: string) => text.replace('https://corp', 'https://other'), undefined],
      [
        (text: string) => text.replace(/ {2}corp:[\s\S]*/, '  other:\n    enabled: false\n'),
        ['mcp_servers corp'],
      ],
    ] as const) {
      const it = cluster();
      it.save(it.edit(addsCorp));
      it.wrote();
      it.save(change(it.live.data[HAND_WRITTEN] ?? ''), HAND_WRITTEN);
      expect(it.sync()).toMatchObject(entries === undefined ? {} : { undone: { entries } });
      expect(it.sync().kind).toBe('none');
    }
  });
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

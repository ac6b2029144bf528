/** HolmesGPT's ConfigMap, with this program and people who write it, for tests of edits. */
import { parse, stringify } from 'yaml';
import { type AgentConfigMap, FILE, HAND_WRITTEN } from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import { EditMemory } from '../../src/outputs/holmesgpt/merge/edit-memory.ts';
import type { AgentMerge } from '../../src/outputs/holmesgpt/merge/merge.ts';
import { runMerge } from '../../src/outputs/holmesgpt/merge/merge-task.ts';

/** A parsed YAML document. */
export type Json = ReturnType<typeof parse>;
export type Change = (file: Json) => void;

export const MCP = 'shop/a-mcp';
export const server = (name: string): Json => ({
  description: name,
  approval_required_tools: ['delete_*'],
  config: { url: `http://${name}.shop.svc.cluster.local:8000/mcp`, mode: 'streamable-http' },
});
export const CORP: Json = {
  config: { url: 'https://corp', headers: { Authorization: 'Bearer {{ env.CORP }}' } },
};
export const FOUND: Json = {
  toolsets: { 'kubernetes/core': { enabled: true } },
  mcp_servers: { [MCP]: server('a-mcp'), 'shop/c-mcp': server('c-mcp') },
};
const PLACE = 'holmesgpt/custom-toolsets';

/** HolmesGPT's ConfigMap, with this program and people who write it. */
export class Cluster {
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

  /** Restarts this program, which forgets everything. */
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

export const cluster = (person = 'toolsets:\n  mine:\n    enabled: false\n'): Cluster => new Cluster(person);

export const asksLess: Change = (file) => {
  file.mcp_servers[MCP].approval_required_tools = ['nothing'];
};
export const addsCorp: Change = (file) => {
  file.mcp_servers.corp = CORP;
};
export const noInternet: Change = (file) => {
  file.toolsets.internet = { enabled: false };
};

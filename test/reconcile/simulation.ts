import { type Documents, OVERRIDES_KEY, type Toolset } from '../../src/model/documents.ts';
import type { Plan, Published } from '../../src/model/published.ts';
import type { Revision } from '../../src/model/revision.ts';
import { revisionHash } from '../../src/planning/content-hash.ts';
import { type Decision, decide } from '../../src/planning/decide.ts';
import { OWN_ANNOTATIONS, plan, RESTORING_MANAGER, rollbackOf } from '../../src/planning/plan.ts';
import { inOrder, previousRevision, recordStep, revisionsToPrune } from '../../src/planning/revisions.ts';
import { earlierRevisions, rollbackIntent } from '../../src/planning/rollback.ts';
import { DOCUMENT_KEYS, observed, publishedDocuments, read, toolset } from '../fixtures/unit/toolset.ts';

/** The documents that a number stands for, and with an override another one. */
export function documentsOf(inputs: number, overrides: string | undefined): Documents {
  const names = Array.from({ length: inputs % 7 }, (_, index) => ({ name: `tool-${index}` }));
  return {
    'toolset.json': `${JSON.stringify({ tools: names, inputs, overrides: overrides ?? null })}\n`,
    'custom_toolset.yaml': `toolsets: { kubernetes/core: { enabled: true } } # ${inputs} ${overrides}\n`,
  };
}

/** In the simulation an overrides text that begins so has a fault. */
export const BROKEN = 'broken';

const KEEP = 5;
/** What the cluster knows: one ConfigMap, or none, and revisions. */
interface Cluster {
  live: Published | undefined;
  revisions: readonly Revision[];
}

/** One process: what it remembers goes with it. */
interface Process {
  own: Toolset | undefined;
  seen: { readonly overrides: string | undefined } | undefined;
}

/** A cluster and the processes that publish into it, with all writes between them carried out as the API server does. */
export class Simulation {
  readonly cluster: Cluster = { live: undefined, revisions: [] };
  #version = 0;

  process(): Process {
    return { own: undefined, seen: undefined };
  }

  /** A person or a program writes. */
  write(change: (live: Published) => Partial<Published>): void {
    const live = this.cluster.live ?? { data: {}, labels: {}, annotations: {}, managers: [] };
    this.cluster.live = { ...live, ...change(live), version: String(++this.#version) };
  }

  delete(): void {
    this.cluster.live = undefined;
  }

  /**
   * One reconciliation of a process.
   * @param steps how many of the writes of a publication are done before the process is killed; all without
   */
  reconcile(
    process: Process,
    inputs: number,
    steps = Number.POSITIVE_INFINITY,
    disturb?: () => void,
  ): Decision | undefined {
    const { live, revisions } = this.cluster;
    const text =
      live === undefined
        ? (process.seen ?? { overrides: revisions.at(-1)?.overrides }).overrides
        : live.data[OVERRIDES_KEY];
    if (live !== undefined) process.seen = { overrides: text };
    const broken = text?.startsWith(BROKEN) === true;
    const generated = toolset(documentsOf(inputs, broken ? undefined : text));
    const decision = decide({
      generated,
      overrideError: broken ? 'line 1: broken' : undefined,
      live: observed(live),
      own: process.own,
      overrides: text,
      revisions: revisions.map(read),
      found: { usable: new Set(), unusable: new Map() },
      removal: undefined,
      now: 0,
      withHeld: () => undefined,
      withoutTools: () => toolset(documentsOf(0, undefined)),
    });
    disturb?.();
    let left = steps;
    for (const write of this.#writes(plan(decision.intent, live, '1'))) {
      if (left-- <= 0) return undefined;
      if (!write()) return undefined;
    }
    process.own = toolset(decision.intent.documents);
    if (left-- > 0) this.#record();
    return decision;
  }

  /** `rollback` as the command line does it. */
  rollback(): Documents | undefined {
    const { live, revisions } = this.cluster;
    const history = revisions.map(read);
    const to = previousRevision(earlierRevisions(observed(live), history), publishedDocuments(live));
    if (to === undefined) return undefined;
    const intent = rollbackIntent(to, observed(live), history);
    for (const write of this.#writes(plan(intent, live, '1'))) write();
    this.#record();
    return to.documents;
  }

  /** The writes of a publication, one by one; each says whether the API server took it. */
  *#writes(decided: Plan): Generator<() => boolean> {
    if (decided.action === 'none') return;
    const ours = (): void => {
      const kept = Object.fromEntries(
        Object.entries(this.cluster.live?.annotations ?? {}).filter(
          ([key]) => !OWN_ANNOTATIONS.includes(key),
        ),
      );
      this.write((live) => ({
        data: { ...live.data, ...decided.documents },
        labels: { ...live.labels, ...decided.labels },
        annotations: { ...kept, ...decided.annotations },
        managers: [...new Set([...(live.managers ?? []), 'dynamic-toolset'])],
      }));
    };
    let basis = decided.basis;
    if (decided.restore !== undefined) {
      const restore = decided.restore;
      yield () => {
        const there = this.cluster.live?.data ?? {};
        const wanted: Record<string, string> = { ...decided.documents, [OVERRIDES_KEY]: restore };
        // Not forced: what somebody wrote in between with another value is a conflict.
        if (Object.entries(wanted).some(([key, value]) => there[key] !== undefined && there[key] !== value))
          return false;
        ours();
        this.write((live) => ({ data: { ...live.data, ...wanted }, managers: [RESTORING_MANAGER] }));
        basis = this.cluster.live?.version;
        return true;
      };
    }
    yield () => {
      if (basis !== undefined && this.cluster.live?.version !== basis) return false;
      const there = this.cluster.live;
      if (
        basis === undefined &&
        there !== undefined &&
        DOCUMENT_KEYS.some((key) => there.data[key] !== undefined)
      )
        return false;
      ours();
      return true;
    };
    if (this.cluster.live?.managers?.includes(RESTORING_MANAGER) !== true) return;
    yield () => {
      this.write((live) => ({ managers: live.managers?.filter((name) => name !== RESTORING_MANAGER) ?? [] }));
      return true;
    };
  }

  #record(): void {
    const { live, revisions } = this.cluster;
    const documents = publishedDocuments(live);
    if (live === undefined || documents === undefined) return;
    const overrides = live.data[OVERRIDES_KEY];
    const content = { documents, overrides, rollback: rollbackOf(live.annotations) };
    const step = recordStep(content, revisions, 'x', new Date(0));
    if (step.do === 'nothing') return;
    const others = revisions.filter(({ name }) => name !== step.name);
    const { name, number, published } = step;
    const all = inOrder([...others, { ...content, name, number, created: '', published }]);
    this.cluster.revisions = all.slice(revisionsToPrune(all, KEEP, content, () => true).length);
  }

  /** Names of revisions that do not follow from their content: there must never be any. */
  get strayRevisions(): string[] {
    return this.cluster.revisions
      .filter(
        ({ name, documents, overrides }) => name !== `x-${revisionHash(documents, overrides).slice(0, 12)}`,
      )
      .map(({ name }) => name);
  }
}

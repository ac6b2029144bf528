import { createHash } from 'node:crypto';
import { type ConfigMap, configMapsPath } from '../../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../../kubernetes/connection.ts';
import { runInformer } from '../../../kubernetes/informer.ts';
import type { InformerTiming } from '../../../kubernetes/informer-timing.ts';
import { clusterError, isDenied } from '../../../kubernetes/status.ts';
import { textsOf } from '../../../model/binary-text.ts';
import type { Problem } from '../../../model/discovery.ts';
import { type AgentConfigMap, FILE, GENERATED, HAND_WRITTEN } from '../merge/agent-file.ts';

/** Callbacks of a watch. */
export interface WatchListener {
  /** Another client changed the file or one of the texts that it is made from. @param content identifies their new content */
  changed(content: string): void;
  /** The watch does not work. Called once until it works again. */
  failed(problem: Problem): void;
}

/** Identifies the content of the file and of the two texts that it is made from. @param data `undefined`: no ConfigMap */
export function contentOf(data: AgentConfigMap['data'] | undefined): string {
  // One without these keys is another content than none: its file has to be written.
  const texts = data && [FILE, HAND_WRITTEN, GENERATED].map((key) => data[key] ?? null);
  return createHash('sha256')
    .update(JSON.stringify(texts ?? null))
    .digest('hex');
}

/**
 * Watches HolmesGPT's ConfigMap for changes by other clients. It is level-triggered: it compares content and ignores the order
 * of events, so a late event may report a change that is known already.
 */
export class ConfigMapWatch {
  readonly #kube: KubeClient;
  readonly #namespace: string;
  readonly #timing: Partial<InformerTiming>;
  #name: string | undefined;
  #known: string | undefined;
  /** Aborted when the name changes. */
  #renamed = new AbortController();

  constructor(kube: KubeClient, namespace: string, timing: Partial<InformerTiming> = {}) {
    this.#kube = kube;
    this.#namespace = namespace;
    this.#timing = timing;
  }

  /**
   * Sets which ConfigMap to watch, and which content is no change. Call it after each read, and before each write, because
   * the event of a write can arrive before its response.
   */
  knows(name: string, data: AgentConfigMap['data'] | undefined): void {
    this.#known = contentOf(data);
    if (name === this.#name) return;
    this.#name = name;
    this.#renamed.abort();
  }

  /** Runs until the signal is aborted. Watches nothing before the first call of `knows`. */
  async run(listener: WatchListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#renamed = new AbortController();
      const either = AbortSignal.any([signal, this.#renamed.signal]);
      if (this.#name !== undefined) await this.#watch(this.#name, listener, either);
      else await new Promise((resolve) => either.addEventListener('abort', resolve, { once: true }));
    }
  }

  async #watch(name: string, listener: WatchListener, signal: AbortSignal): Promise<void> {
    let isFailing = false;
    await runInformer(
      this.#kube,
      {
        path: configMapsPath(this.#namespace),
        // RBAC allows list and watch of a resourceName only with this selector.
        fieldSelector: `metadata.name=${name}`,
        timing: this.#timing,
        select: (object) => contentOf(textsOf(object as ConfigMap)),
      },
      (event) => {
        if (event.kind === 'failure' && !isFailing)
          listener.failed(this.#problem(name, event.error, event.doing));
        isFailing = event.kind === 'failure';
        if (event.kind === 'failure' || event.kind === 'recovered') return;
        const [item] = event.kind === 'synced' ? event.items.values() : [event.item];
        const content = event.kind === 'delete' || item === undefined ? contentOf(undefined) : item;
        if (content !== this.#known) listener.changed(content);
      },
      signal,
    );
  }

  #problem(name: string, error: unknown, doing: 'list' | 'watch'): Problem {
    const { message } = clusterError(error, `${doing} it`, this.#kube.server);
    return {
      where: `ConfigMap ${this.#namespace}/${name}`,
      what: `changes by others are noticed only once per DISCOVERY_INTERVAL: ${message}`,
      ...(isDenied(error)
        ? { fix: 'its Role needs get, list, watch and patch on this ConfigMap, as docs/holmesgpt.md shows' }
        : {}),
    };
  }
}

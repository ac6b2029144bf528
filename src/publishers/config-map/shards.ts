import { mayAccess } from '../../kubernetes/access-reviews.ts';
import {
  applyConfigMap,
  type ConfigMap,
  readConfigMap,
  removeAnnotations,
  writeKeys,
} from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { isDenied, isStatus } from '../../kubernetes/status.ts';
import { byShard, type Documents, shardName } from '../../model/documents.ts';
import type { Plan } from '../../model/published.ts';
import { FORMER_SHARD } from '../../planning/plan.ts';
import { type ShardsCheck, ShardsRefused } from '../publisher.ts';
import {
  type ConfigMapName,
  foreignKeys,
  isFormerShard,
  isIntactShard,
  isOurShard,
  isOwnerRefused,
  keysInShort,
  SHARD_MANAGER,
  shardConfigMap,
  shardTarget,
  stateOf,
  withState,
} from './config-map.ts';
import { KnownShards } from './known-shards.ts';
import { ShardRemoval } from './shard-removal.ts';
import { watchShards } from './shard-watch.ts';

/** Maximum number of shards to look for, whatever an annotation says. */
const MOST = 16;
/** Maximum length of an object's name. */
const LONGEST_NAME = 253;

export interface ShardsOptions {
  /**
   * Look once for shards up to this number, because a process that was killed may have left shards that the main ConfigMap
   * does not count.
   */
  readonly lookFor?: number | undefined;
  /** Take over ConfigMaps of others that have the name of a shard. */
  readonly force?: boolean | undefined;
  /** Called with one line when a ConfigMap is no longer needed and is kept, because others wrote into it. */
  readonly onKept?: ((line: string) => void) | undefined;
  /** Called with one line when a ConfigMap is no longer needed and may not be deleted. */
  readonly onDenied?: ((line: string) => void) | undefined;
}

/** One write of a ConfigMap. */
interface Write {
  run(): Promise<void>;
}

/** One write of a shard, or of the main ConfigMap. */
export interface ShardWrite extends Write {
  /** Growth of the ConfigMap in bytes. */
  readonly growth: number;
}

const bytesOf = (documents: Documents = {}): number =>
  Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** The ConfigMaps with the further shards of divided documents, as last read or written. */
export class ConfigMapShards {
  readonly #kube: KubeClient;
  readonly #target: ConfigMapName;
  readonly #force: boolean;
  /** How many to look for at the start, and at the next read. */
  readonly #lookForAtStart: number;
  #lookFor: number;
  readonly #known = new KnownShards();
  readonly #removal: ShardRemoval;
  /** Shards that we may not read. */
  #denied: ReadonlySet<number> = new Set();
  /** The number of ConfigMaps at the last read, according to the main one. */
  #count = 1;
  /** Denied requests by shard. */
  readonly #deniedVerbs = new Map<number, readonly string[]>();
  /** Shards that were denied again although RBAC allows them, for example by an admission webhook. */
  readonly #deniedTwice = new Set<number>();
  /** The documents of the last plan. */
  #planned: Pick<Plan, 'documents'> = { documents: {} };

  constructor(
    kube: KubeClient,
    target: ConfigMapName,
    { lookFor = 1, force = false, onKept = () => {}, onDenied = () => {} }: ShardsOptions,
  ) {
    this.#kube = kube;
    this.#target = target;
    this.#force = force;
    this.#removal = new ShardRemoval({ kube, target, known: this.#known, onKept, onDenied });
    this.#lookForAtStart = lookFor;
    this.#lookFor = lookFor;
  }

  /** The documents in the shards, by name, without those of shards whose labels were changed or that cannot be removed. */
  get documents(): Documents {
    const entries = [...this.#known.all].flatMap(([shard, object]) =>
      isIntactShard(this.#target, shard, object) && !this.#removal.isLeft(shard)
        ? Object.entries(object.data ?? {}).map(([key, text]) => [shardName(key, shard), text] as const)
        : [],
    );
    return Object.fromEntries(entries);
  }

  /** The keys in `binaryData` of the shards, by name. */
  get binary(): readonly string[] {
    return [...this.#known.all].flatMap(([shard, { binaryData = {} }]) =>
      Object.keys(binaryData).map((key) => shardName(key, shard)),
    );
  }

  /** The numbers of existing shards that we may not read. */
  get unread(): readonly number[] {
    return [...this.#denied].filter((shard) => shard <= this.#count);
  }

  /**
   * Reads all shards that may exist.
   * @param count the number of ConfigMaps according to the main one
   * @throws as `readConfigMap`; a shard that we may not read counts as missing
   */
  async read(count: number, signal: AbortSignal): Promise<void> {
    this.#count = count;
    const most = Math.min(MOST, Math.max(count, this.#lookFor, ...this.#known.all.keys()));
    const numbers = Array.from({ length: Math.max(0, most - 1) }, (_, index) => index + 2);
    const read = await Promise.all(numbers.map((shard) => this.#readOne(shard, signal)));
    this.#denied = new Set(numbers.filter((_, index) => read[index] === 'denied'));
    this.#known.replace(
      numbers.flatMap((shard, index) => {
        const object = read[index];
        return object === undefined || object === 'denied' ? [] : [[shard, object] as const];
      }),
    );
    this.#lookFor = 1;
  }

  /**
   * The writes for a plan: changed shards first, then removals.
   * @throws ShardsRefused if a shard cannot be ours
   */
  async writes(
    plan: Plan,
    now: Date,
    signal: AbortSignal,
  ): Promise<{ readonly changed: readonly ShardWrite[]; readonly removed: readonly Write[] }> {
    this.#planned = plan;
    const wanted = byShard(plan.documents);
    const changed: ShardWrite[] = [];
    for (const [shard, documents] of wanted) {
      if (shard === 1) continue;
      const before = await this.#usable(shard, signal);
      this.#removal.cancel(shard);
      if (before !== undefined && this.#isAsPlanned(shard, before, documents, plan)) continue;
      const growth = bytesOf(documents) - bytesOf(before?.data);
      changed.push({
        growth,
        run: async () => {
          if (before?.immutable === true) await this.#delete(shard, before, signal);
          await this.#write(shard, documents, plan, now, signal);
        },
      });
    }
    const removed = [...this.#known.all]
      .filter(
        ([shard, object]) =>
          !wanted.has(shard) &&
          isOurShard(this.#target, shard, object) &&
          !isFormerShard(this.#target, shard, object),
      )
      .map(([shard, object]) => ({ run: () => this.#removal.drop(shard, object, plan, signal) }));
    return { changed, removed };
  }

  /**
   * Watches the existing shards until the signal is aborted.
   * @param changed called when another client wrote to one
   * @param failed called with each failure
   */
  async watch(
    changed: () => void,
    failed: (error: unknown, doing: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const options = { kube: this.#kube, target: this.#target, known: this.#known, changed, failed };
    await watchShards(options, signal);
  }

  async #readOne(shard: number, signal: AbortSignal): Promise<ConfigMap | 'denied' | undefined> {
    const { namespace, name } = shardTarget(this.#target, shard);
    try {
      return await readConfigMap(this.#kube, namespace, name, signal);
    } catch (error) {
      // Permissions for shards are needed only to write one, and their lack is reported then.
      if (isDenied(error)) return 'denied';
      throw error;
    }
  }

  /**
   * Whether a refused shard may be written now. Only reads: after a denied write, it asks the API server for an access
   * review.
   * @throws as `readConfigMap`
   */
  async isUsable(shard: number, signal: AbortSignal): Promise<boolean> {
    const object = await this.#readOne(shard, signal);
    if (object === 'denied') return false;
    if (this.#faultOf(shard, object) !== undefined || this.#deniedTwice.has(shard)) return false;
    const target = shardTarget(this.#target, shard);
    const verbs = this.#deniedVerbs.get(shard) ?? [];
    const allowed = await Promise.all(
      verbs.map((verb) => mayAccess(this.#kube, { ...target, verb, resource: 'configmaps' }, signal)),
    );
    if (allowed.includes(false)) return false;
    if (verbs.length > 0) this.#deniedTwice.add(shard);
    // Shards that could not be removed may be removable now.
    this.#lookFor = this.#lookForAtStart;
    return true;
  }

  /** Why a shard cannot be written, apart from permissions; `undefined` if it can. */
  #faultOf(shard: number, object: ConfigMap | undefined): string | undefined {
    const { namespace, name } = shardTarget(this.#target, shard);
    const where = `ConfigMap ${namespace}/${name}`;
    if (name.length > LONGEST_NAME)
      return `${where} cannot be created: its name is too long; use a shorter --configmap-name`;
    if (object === undefined) return undefined;
    const isOurs = isOurShard(this.#target, shard, object);
    // An immutable shard without keys of others is replaced.
    const keys = foreignKeys(object, this.#planned);
    if (object.immutable === true && !(isOurs && keys.length === 0))
      return `${where} is immutable and ${isOurs ? `others wrote ${keysInShort(keys)} into it` : 'was made by others'}, so it is left as it is; copy what you need, and delete it`;
    if (!this.#force && !isOurs)
      return `${where} was made by others, so it is left as it is; delete it, choose another with --configmap-name, or take it over with --force`;
    return undefined;
  }

  /** Whether documents can be divided as planned. Only reads. @throws as `readConfigMap` */
  async check(documents: Documents, signal: AbortSignal): Promise<ShardsCheck> {
    this.#planned = { documents };
    const unread: string[] = [];
    for (const shard of byShard(documents).keys()) {
      if (shard === 1) continue;
      const object = this.#known.all.get(shard) ?? (await this.#readOne(shard, signal));
      const { namespace, name } = shardTarget(this.#target, shard);
      const fault = object === 'denied' ? undefined : this.#faultOf(shard, object);
      if (fault !== undefined) return { refused: new ShardsRefused(shard - 1, fault), unread };
      if (object === 'denied') unread.push(`ConfigMap ${namespace}/${name}`);
    }
    return { unread };
  }

  /** A shard to write to; `undefined` if it must be created. @throws ShardsRefused */
  async #usable(shard: number, signal: AbortSignal): Promise<ConfigMap | undefined> {
    const known = this.#denied.has(shard) ? 'denied' : this.#known.all.get(shard);
    // Another client may have created one meanwhile.
    const object = known ?? (await this.#readOne(shard, signal));
    if (object === 'denied') throw this.#denial(shard, 'read', []);
    const fault = this.#faultOf(shard, object);
    if (fault !== undefined) throw new ShardsRefused(shard - 1, fault);
    if (object !== undefined && !this.#known.all.has(shard)) this.#known.put(shard, object);
    return object;
  }

  /** @param verbs the requests, one of which was denied */
  #denial(shard: number, doing: string, verbs: readonly string[], cause?: Error): ShardsRefused {
    const { namespace, name } = shardTarget(this.#target, shard);
    this.#deniedVerbs.set(shard, verbs);
    const said = cause === undefined ? '' : ` (${cause.message})`;
    return new ShardsRefused(
      shard - 1,
      `may not ${doing} ConfigMap ${namespace}/${name}${said}; grant get, list, watch, create, patch and delete on ConfigMaps with the names ${this.#target.name}-2 to ${this.#target.name}-MAX_SHARDS, or set MAX_SHARDS=1${this.#leftOver(shard)}`,
      { cause },
    );
  }

  /** What to do about remaining shards from this number on. */
  #leftOver(from: number): string {
    const names = Array.from({ length: Math.min(MOST, this.#count) }, (_, index) => index + 1)
      .filter((shard) => shard >= from)
      .map((shard) => shardTarget(this.#target, shard).name);
    if (names.length === 0) return '';
    return `; until then ${names.join(', ')} may keep outdated tools; to remove them, run: kubectl -n ${this.#target.namespace} delete configmap ${names.join(' ')}`;
  }

  #isAsPlanned(shard: number, object: ConfigMap, documents: Documents, { owner }: Plan): boolean {
    const isOwned =
      owner === undefined || object.metadata?.ownerReferences?.some(({ uid }) => uid === owner.uid) === true;
    const hasSame = Object.entries(documents).every(([key, text]) => object.data?.[key] === text);
    return isOwned && hasSame && isIntactShard(this.#target, shard, object);
  }

  async #write(
    shard: number,
    documents: Documents,
    plan: Plan,
    now: Date,
    signal: AbortSignal,
  ): Promise<void> {
    const before = this.#known.all.get(shard);
    let basis = stateOf(before);
    const whole = shardConfigMap(this.#target, shard, documents, plan, now);
    const options = { fieldManager: SHARD_MANAGER, force: basis !== undefined };
    try {
      const moved = Object.keys(before?.binaryData ?? {}).filter((key) => Object.hasOwn(documents, key));
      if (basis !== undefined && moved.length > 0)
        basis = stateOf(await writeKeys(this.#kube, withState(whole, basis), moved, SHARD_MANAGER, signal));
      const object = withState(whole, basis);
      let written = await applyConfigMap(this.#kube, object, options, signal);
      if (written.metadata?.annotations?.[FORMER_SHARD] !== undefined)
        written = await removeAnnotations(this.#kube, object, [FORMER_SHARD], signal);
      this.#known.put(shard, written);
      this.#deniedTwice.delete(shard);
      this.#deniedVerbs.delete(shard);
    } catch (error) {
      const verbs = basis === undefined ? ['patch', 'create'] : ['patch'];
      throw isStatus(error, 403) && !isOwnerRefused(error)
        ? this.#denial(shard, 'write', verbs, error)
        : error;
    }
  }

  /** Deletes an immutable shard, so that it can be recreated. */
  async #delete(shard: number, object: ConfigMap, signal: AbortSignal): Promise<void> {
    try {
      await this.#removal.delete(shard, object, signal);
    } catch (error) {
      throw isStatus(error, 403) ? this.#denial(shard, 'delete', ['delete'], error) : error;
    }
  }
}

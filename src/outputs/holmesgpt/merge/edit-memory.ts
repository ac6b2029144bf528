import {
  type AgentConfigMap,
  FILE,
  FILE_REVISION,
  GENERATED,
  HAND_WRITTEN,
  isMade,
  isUntouched,
} from './agent-file.ts';
import type { AgentMerge } from './merge.ts';
import type { Remembered } from './remembered.ts';
import { type KnownVersions, revisionOfVersion, type VersionTexts, versionOf } from './version-line.ts';

/** Entries that people changed, and the number of the write that had these changes first. */
interface Touched {
  readonly revision: number;
  readonly entries: readonly string[];
}

/** What is remembered of one ConfigMap. */
interface Place {
  /** The hand-written text as this program last saw it. */
  readonly handWritten: string;
  readonly version: string | undefined;
  readonly touched: readonly Touched[];
}

/** Maximum writes of which the changed entries are remembered. Versions are forgotten after an hour. */
const MOST_WRITES = 1_000;

/** What this process remembers of HolmesGPT's file and of edits, to understand later edits. */
export class EditMemory {
  readonly #versions: KnownVersions;
  /** By ConfigMap. */
  readonly #places = new Map<string, Place>();

  constructor(versions: KnownVersions) {
    this.#versions = versions;
  }

  /** What a merge needs. @param name the ConfigMap, as `namespace/name` */
  of(name: string, live: AgentConfigMap): Remembered {
    const { [FILE]: file = '', [HAND_WRITTEN]: handWritten, [GENERATED]: generated } = live.data;
    const isWhole = isUntouched(live) && handWritten !== undefined && generated !== undefined;
    const version = isWhole ? undefined : versionOf(file);
    const known = version === undefined ? undefined : this.#versions.get(version);
    const place = this.#places.get(name);
    const since = version === undefined ? 0 : revisionOfVersion(version);
    const touched = (place?.touched ?? []).flatMap(({ revision, entries }) =>
      revision > since ? entries : [],
    );
    const isMissing = handWritten === undefined || generated === undefined;
    // In a new ConfigMap with a file of its own, that file replaces what people wrote before.
    const isReplaced = handWritten === undefined && file.trim() !== '' && !isMade(file);
    const latest = isMissing && place?.version !== undefined ? this.#versions.get(place.version) : undefined;
    return {
      ...(place === undefined ? { isFirst: true } : {}),
      ...(latest === undefined ? {} : { latest }),
      ...(place === undefined || handWritten !== undefined ? {} : { deleted: place.handWritten }),
      ...(known === undefined ? {} : { known, touched }),
      ...(place === undefined ||
      (handWritten === undefined && !isReplaced) ||
      place.handWritten === handWritten
        ? {}
        : { former: place.handWritten }),
    };
  }

  /** Records a ConfigMap that needs no change. */
  unchanged(name: string, { data }: AgentConfigMap): void {
    this.#remember(name, data, []);
  }

  /** Records a write. */
  wrote(name: string, { data, annotations, touched = [] }: AgentMerge & { readonly kind: 'write' }): void {
    const revision = Number(annotations[FILE_REVISION]);
    this.#remember(name, data, touched.length === 0 ? [] : [{ revision, entries: touched }]);
  }

  #remember(name: string, data: AgentConfigMap['data'], touched: readonly Touched[]): void {
    const { [FILE]: file = '', [HAND_WRITTEN]: handWritten = '', [GENERATED]: generated = '' } = data;
    const version = versionOf(file);
    const texts: VersionTexts = { generated, handWritten };
    if (version !== undefined) this.#versions.set(version, texts);
    // In a recreated ConfigMap, the count of writes starts again.
    const latest = version === undefined ? 0 : revisionOfVersion(version);
    const before = (this.#places.get(name)?.touched ?? []).filter(({ revision }) => revision <= latest);
    this.#places.set(name, { handWritten, version, touched: [...before, ...touched].slice(-MOST_WRITES) });
  }
}

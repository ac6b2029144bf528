import {
  type AgentConfigMap,
  FILE,
  FILE_VERSION,
  GENERATED,
  HAND_WRITTEN,
  isUntouched,
} from './agent-file.ts';
import type { AgentMerge } from './merge.ts';
import type { LearnedEdits, Remembered } from './remembered.ts';
import { type KnownVersions, type VersionTexts, versionOf, withSave } from './version-line.ts';

/** What this process remembers of HolmesGPT's file and of edits, to understand later edits. */
export class EditMemory {
  readonly #versions: KnownVersions;
  /** By ConfigMap. */
  readonly #learned = new Map<string, LearnedEdits>();

  constructor(versions: KnownVersions) {
    this.#versions = versions;
  }

  /** What a merge needs. @param place the ConfigMap, as `namespace/name` */
  of(place: string, live: AgentConfigMap): Remembered {
    const version = isUntouched(live) ? undefined : versionOf(live.data[FILE] ?? '');
    const known = version === undefined ? undefined : this.#versions.get(version);
    const learned = this.#learned.get(place);
    return {
      ...(known === undefined ? {} : { known }),
      ...(learned === undefined || learned.after === live.data[HAND_WRITTEN] ? {} : { learned }),
    };
  }

  /** Records a ConfigMap that needs no change. */
  unchanged(place: string, { data }: AgentConfigMap): void {
    this.#remember(data);
    this.#follow(place, data[HAND_WRITTEN] ?? '');
  }

  /** Records a write. @param live the ConfigMap before it */
  wrote(
    place: string,
    live: AgentConfigMap,
    { data, change, learned }: AgentMerge & { readonly kind: 'write' },
  ): void {
    const { [FILE]: file = '', [HAND_WRITTEN]: before } = live.data;
    if (change?.kind === 'edited') {
      const version = versionOf(file);
      const texts =
        this.of(place, live).known ??
        (version === live.annotations[FILE_VERSION] ? textsOf(live.data) : undefined);
      if (version !== undefined && texts !== undefined)
        this.#versions.set(version, withSave(texts, { file, lost: change.lost }));
    }
    const after = data[HAND_WRITTEN] ?? '';
    const earlier = this.#learned.get(place);
    if (learned === undefined || before === undefined) this.#follow(place, after);
    else this.#learned.set(place, { before: earlier?.after === before ? earlier.before : before, after });
    this.#remember(data);
  }

  /** The hand-written text is this one now. */
  #follow(place: string, after: string): void {
    const learned = this.#learned.get(place);
    if (learned !== undefined) this.#learned.set(place, { ...learned, after });
  }

  /** Remembers the texts that the file was made from. */
  #remember(data: AgentConfigMap['data']): void {
    const version = versionOf(data[FILE] ?? '');
    if (version !== undefined) this.#versions.set(version, textsOf(data));
  }
}

const textsOf = ({
  [GENERATED]: generated = '',
  [HAND_WRITTEN]: handWritten = '',
}: AgentConfigMap['data']): VersionTexts => ({
  generated,
  handWritten,
});

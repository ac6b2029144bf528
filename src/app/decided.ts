import { observedNaming } from '../controller/naming.ts';
import type { Stages } from '../controller/pass.ts';
import { publishedWays } from '../controller/ways.ts';
import { heldKeys } from '../detection/names.ts';
import { approvalsIn } from '../model/approvals.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { ServiceKey } from '../model/service.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { type PublicationState, publicationState } from '../planning/conditions/published.ts';
import { type Observed, observe } from '../planning/observed.ts';
import { readOverrides } from '../planning/overrides.ts';
import type { Configuration } from './configuration.ts';
import type { Input } from './pipeline.ts';

/** What people decided and what is published already: with it, a command sees what `serve` would. */
export interface Decided {
  readonly overrides: Overrides;
  /** For a pass: the ways and names that are in use, and those that people chose. */
  readonly standing: Required<Pick<Stages, 'inUse' | 'naming'>>;
  /** Services behind the tools that are published: where a limit takes some, these stay before others. */
  readonly published: ReadonlySet<ServiceKey>;
  /** What is published, for the conditions of backends; `isKnown` is false where it was not read. */
  readonly publication: PublicationState;
  readonly tools: readonly PublishedTool[];
}

/** Stages that go by what people decided and what is published. */
export const deciding = (
  stages: Stages,
  { overrides, standing }: Pick<Decided, 'overrides' | 'standing'>,
): Stages => ({
  ...stages,
  ...standing,
  detection: { ...stages.detection, approvals: approvalsIn(overrides) },
});

/** What follows from the published ConfigMap; nothing from one that is not there. */
export function decidedBy(live: Observed | undefined, settings: Configuration, isKnown = true): Decided {
  const read = readOverrides(live?.data[OVERRIDES_KEY]);
  const naming = observedNaming(live, settings.credentials, []);
  return {
    overrides: 'value' in read ? read.value : NO_OVERRIDES,
    standing: { inUse: publishedWays(live?.present.tools ?? []), naming },
    published: heldKeys(naming.held),
    publication: { isKnown, ...publicationState(live?.annotations), failure: undefined, decides: true },
    tools: live?.present.tools ?? [],
  };
}

/** The same, read from the cluster. Where there is none, or the ConfigMap may not or cannot be read, nothing is decided. */
export async function decidedIn(
  settings: Configuration,
  { kube }: Input,
  signal: AbortSignal,
): Promise<Decided> {
  const nothing = decidedBy(undefined, settings, false);
  if (kube === undefined) return nothing;
  const { targetOf } = await import('./target.ts');
  try {
    return decidedBy(observe(await targetOf(kube, settings).read(signal), OUTPUTS), settings);
  } catch {
    signal.throwIfAborted();
    return nothing;
  }
}

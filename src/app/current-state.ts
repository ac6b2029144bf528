import { lastPublishedFrom } from '../controller/last-published.ts';
import { observedNaming } from '../controller/naming.ts';
import type { Stages } from '../controller/pass.ts';
import { publishedUse } from '../controller/published-use.ts';
import { approvalsIn } from '../model/approvals.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { InForce } from '../outputs/output.ts';
import type { LeftOutOf } from '../outputs/outputs.ts';
import { faultsLine, readOverrides } from '../outputs/read-overrides.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { type Groups, publishedGroups } from '../planning/backend-groups.ts';
import { type PublicationState, publicationState } from '../planning/conditions/published.ts';
import { type Observed, observe } from '../planning/observed.ts';
import { inForceAtAgent } from './agent.ts';
import type { Configuration } from './configuration.ts';
import type { Input } from './pipeline.ts';

/** The overrides and the published tools. With this state, a command decides as `serve` would. */
export interface CurrentState {
  readonly overrides: Overrides;
  /** For a pass: the entry points and names that are in use, and those that overrides choose. */
  readonly stageInputs: Required<Pick<Stages, 'inUse' | 'companions' | 'naming'>>;
  /** For the conditions of backends. `isKnown` is false if the published documents were not read. */
  readonly publication: PublicationState;
  readonly tools: readonly PublishedTool[];
  /** Reads in which of the published documents a tool is. `undefined` if there are none. */
  readonly leftOutOf: LeftOutOf | undefined;
  /** What the agent does with the published documents. */
  readonly inForce: InForce;
  /** The groups of the published backends, which keep their ids. */
  readonly groups: Groups;
  /** Why the ConfigMap could not be read, if it could not. */
  readonly fault?: string | undefined;
  /** The faults of `overrides.yaml`, on one line, if it is invalid. `overrides` is empty then. */
  readonly overrideFaults?: string | undefined;
}

/** Applies the state to the stages. */
export const withCurrentState = (
  stages: Stages,
  { overrides, stageInputs }: Pick<CurrentState, 'overrides' | 'stageInputs'>,
): Stages => ({
  ...stages,
  ...stageInputs,
  detection: { ...stages.detection, approvals: approvalsIn(overrides) },
});

/**
 * The state of a published ConfigMap, or the empty state if there is none.
 * @param last the last published state, if the ConfigMap has been deleted or edited since
 */
export function currentStateOf(
  live: Observed | undefined,
  settings: Configuration,
  isKnown = true,
  last = live,
): CurrentState {
  const read = readOverrides(live?.data[OVERRIDES_KEY]);
  const overrideFaults = 'faults' in read ? faultsLine(read) : undefined;
  const naming = observedNaming(last, settings.credentials, []);
  return {
    overrides: 'value' in read ? read.value : NO_OVERRIDES,
    stageInputs: { ...publishedUse(last), naming },
    publication: {
      isKnown,
      ...publicationState(live?.annotations, settings.removalHold),
      // The annotation is of the text that `serve` read last.
      overrideError: overrideFaults,
      failure: undefined,
      decides: true,
    },
    tools: live?.present.tools ?? [],
    leftOutOf: live && OUTPUTS.leftOutOf(live.present),
    inForce: { leftOut: [], lists: {} },
    groups: publishedGroups(last),
    overrideFaults,
  };
}

/**
 * Reads the state from the cluster. Empty without a cluster, or if the ConfigMap cannot be read.
 * @param known what the command knows of the settings of `serve`
 */
export async function readCurrentState(
  settings: Configuration,
  { kube }: Pick<Input, 'kube'>,
  { watched, areSettingsUnknown }: Pick<PublicationState, 'watched' | 'areSettingsUnknown'>,
  signal: AbortSignal,
): Promise<CurrentState> {
  const unknown = currentStateOf(undefined, settings, false);
  if (kube === undefined) return unknown;
  const { targetOf } = await import('./target.ts');
  try {
    const target = targetOf(kube, settings);
    const live = observe(await target.read(signal), OUTPUTS);
    const last = await lastPublishedFrom(live, target, OUTPUTS, signal);
    const state = currentStateOf(live, settings, true, last);
    const { heldRemovals } = state.publication;
    const held = heldRemovals && {
      ...heldRemovals,
      now: Date.now(),
      ...(areSettingsUnknown === true ? { hold: undefined } : {}),
    };
    const { configMapNamespace, configMapName } = settings;
    const seeEvents = `kubectl -n ${configMapNamespace} events --for configmap/${configMapName} --types=Warning`;
    const inForce = live && (await inForceAtAgent(settings, kube, live.present, signal));
    const asked = { at: Date.now(), seeEvents };
    return {
      ...state,
      inForce: inForce ?? state.inForce,
      publication: { ...state.publication, watched, areSettingsUnknown, heldRemovals: held, asked },
    };
  } catch (error) {
    signal.throwIfAborted();
    return { ...unknown, fault: (error as Error).message };
  }
}

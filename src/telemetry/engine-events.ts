import type { EngineEvent } from '../controller/events.ts';
import type { ToolChange } from '../controller/tool-changes.ts';
import { countOf, isOrAre } from '../model/count-of.ts';
import { problemLine } from '../model/discovery.ts';
import { numberedLines } from '../model/numbered-lines.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import { hideInMessage } from '../model/redact-text.ts';
import { oneLine, quoted } from '../model/text.ts';
import { whatStays } from '../model/what-stays.ts';
import { isMetadataOnly } from './metadata-only.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** Maximum lines of a diff in an Event. */
const MAX_DIFF_LINES = 12;
/** Maximum names or faults in an Event, and maximum characters of an untrusted text. */
const MAX_NAMES = 5;
const MAX_TEXT = 600;

const TOOL_COUNT_ANNOTATION = 'kubernaut.io/discovered-services';

function joinNames(names: readonly string[], named = oneLine): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => named(name, 100));
  return `${shown.join(', ')}${names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''}`;
}

/** `added: a; changed: b, c`. */
function toolChangeText({ added, removed, changed }: ToolChange): string {
  return Object.entries({ added, removed, changed })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${joinNames(names, quoted)}`)
    .join('; ');
}

/** Describes what happened to the tools of an MCP server, as a sentence without the final period. */
export function toolChangeSentence(change: ToolChange): string {
  const { service, since, added, needsApproval } = change;
  const offers = `it offers ${added.length === 0 ? 'no tools' : joinNames(added, quoted)}`;
  if (since === 'before') {
    const asks = needsApproval ? '. The agent asks before each of its tools until you approve it again' : '';
    return `The MCP server ${service} changed its tools: ${toolChangeText(change)}${asks}`;
  }
  return since === 'approval'
    ? `The MCP server ${service} has other tools than approve showed: ${offers}. Approve it again to accept them, or revoke the approval`
    : `The MCP server ${service} is published, but no earlier list of its tools exists to compare with: ${offers}`;
}

/** Maximum namespaces with an Event of their own. */
const MAX_NAMESPACES = 20;

/** Groups keys by namespace, so that one namespace cannot hide the others. The namespaces above the limit share a group. */
function byNamespace(keys: readonly string[]): (readonly [namespace: string | undefined, keys: string[]])[] {
  const all = [...Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf('/')))];
  const rest = all.slice(MAX_NAMESPACES).flatMap(([, each]) => each);
  return [...all.slice(0, MAX_NAMESPACES), ...(rest.length === 0 ? [] : [[undefined, rest] as const])];
}

const approvalEvent = (
  about: string | undefined,
  fresh: readonly string[],
  waiting: number,
): ObjectEvent => ({
  type: 'Normal',
  reason: 'WaitsForApproval',
  action: 'Approve',
  ...(about === undefined ? {} : { about }),
  note: `New MCP servers or annotated Services need approval before they are published: ${joinNames(fresh)}. Approve one with: dynamic-toolset approve NAMESPACE/NAME. ${waiting} ${waiting === 1 ? 'waits' : 'wait'} in total.`,
});

/** Formats engine events as Kubernetes Events about the ConfigMap. Other kinds of events are not emitted. */
const EVENT_FORMATTERS: {
  readonly [K in EngineEvent['kind']]?: (event: Of<K>) => ObjectEvent | readonly ObjectEvent[];
} = {
  published: ({ plan }) => {
    const count = plan.annotations[TOOL_COUNT_ANNOTATION];
    const tools = count === undefined ? 'The toolset' : `A toolset with ${countOf(Number(count), 'tool')}`;
    const what = isMetadataOnly(plan) ? 'Only metadata was changed' : `${tools} was published`;
    const how = plan.action === 'create' ? 'created' : `updated: ${joinNames(plan.changes)}`;
    return {
      type: 'Normal',
      reason: 'Published',
      action: 'Publish',
      note: `${what}; ${how}`,
    };
  },
  drift: ({ keys, diff }) => {
    const lines = diff.slice(0, MAX_DIFF_LINES).map(({ text }) => text);
    return {
      type: 'Warning',
      reason: 'DriftReverted',
      action: 'Revert',
      note: [
        `Somebody changed ${joinNames(keys)}; the change was reverted. Write changes into overrides.yaml.`,
        ...lines,
      ].join('\n'),
    };
  },
  'drift-repeated': ({ keys }) => ({
    type: 'Warning',
    reason: 'DriftRepeated',
    action: 'Revert',
    note: `Something keeps making the same change to ${joinNames(keys)}; it is reverted only once a minute. Find the writer in metadata.managedFields.`,
  }),
  recreated: ({ overrides }) => ({
    type: 'Warning',
    reason: 'Recreated',
    action: 'Recreate',
    note: `The ConfigMap was deleted and was recreated${overrides ? ', with the last known overrides.yaml' : ''}.`,
  }),
  'overrides-invalid': ({ faults, tools }) => ({
    type: 'Warning',
    reason: 'OverridesInvalid',
    action: 'ReadOverrides',
    note: `overrides.yaml cannot be used: ${oneLine(faults, MAX_TEXT)}; ${whatStays(tools)}.`,
  }),
  'overrides-mended': () => ({
    type: 'Normal',
    reason: 'OverridesMended',
    action: 'ReadOverrides',
    note: 'overrides.yaml is valid again.',
  }),
  'approvals-waiting': ({ waiting, fresh }) =>
    fresh.length > 0
      ? byNamespace(fresh).map(([about, keys]) => approvalEvent(about, keys, waiting.length))
      : {
          type: 'Normal',
          reason: 'ApprovalsChanged',
          action: 'Approve',
          note: `MCP servers and annotated Services that wait for approval: ${waiting.length}.`,
        },
  'tools-changed': ({ change }) => ({
    type: change.since === 'nothing' ? 'Normal' : 'Warning',
    reason: change.since === 'nothing' ? 'ToolsPublished' : 'ToolsChanged',
    action: 'Probe',
    about: change.service,
    note: `${toolChangeSentence(change)}.`,
  }),
  'removal-held': ({ tools, retryIn }) => ({
    type: 'Warning',
    reason: 'RemovalHeld',
    action: 'HoldRemoval',
    note: `${countOf(tools.length, 'tool')} ${isOrAre(tools.length)} gone, unusable or beyond a limit. ${tools.length === 1 ? 'It stays' : 'They stay'} for ${Math.ceil(retryIn / 1000)} s: ${joinNames(tools)}. To remove them now, set the annotation kubernaut.io/allow-removal: "true".`,
  }),
  'rolled-back': ({ to, faults }) => ({
    type: 'Warning',
    reason: 'RolledBack',
    action: 'RollBack',
    note: `The published documents were unusable when they were read back: ${oneLine(joinNames(faults), MAX_TEXT)}. Rolled back to revision ${to}.`,
  }),
  rollback: ({ to, holds, removed, revoked, accepted }) => ({
    type: 'Normal',
    reason: holds ? 'RollbackHolds' : 'RollbackEnded',
    action: 'RollBack',
    note: holds
      ? `The rollback to revision ${to} holds until the inputs change, or until rollback --end.${accepted === true ? ' It publishes what --allow-unapproved accepted.' : ''}`
      : removed === true
        ? `Somebody ended the rollback to revision ${to}.`
        : revoked === undefined
          ? `The inputs changed, so the rollback to revision ${to} ended.`
          : `The rollback to revision ${to} ended, because of something that it published: ${oneLine(revoked, MAX_TEXT)}.`,
  }),
  'agent-state': ({ state, before }) => {
    const [problem, former] = [state?.problem, before?.problem];
    // Attempts that fail for another reason are part of the same failure.
    if (state === undefined || (problem === undefined) === (former === undefined)) return [];
    return problem === undefined
      ? {
          type: 'Normal',
          reason: 'AgentUpdated',
          action: 'UpdateAgent',
          note: `The agent has the published toolset again${state.reloadsLater === true ? ', and reloads it later' : ''}.`,
        }
      : {
          type: 'Warning',
          reason: 'AgentNotUpdated',
          action: 'UpdateAgent',
          note: `The agent does not have the published toolset: ${oneLine(problemLine(problem), MAX_TEXT)}`,
        };
  },
  reconfigured: ({ changes }) => ({
    type: 'Normal',
    reason: 'ConfigurationChanged',
    action: 'ReadConfiguration',
    note: `The configuration changed: ${joinNames(changes)}.`,
  }),
  'configuration-refused': ({ error }) => ({
    type: 'Warning',
    reason: 'ConfigurationInvalid',
    action: 'ReadConfiguration',
    note: `The configuration cannot be used, and the previous one stays in force: ${oneLine(numberedLines(error.message), MAX_TEXT)}`,
  }),
  'configuration-mended': () => ({
    type: 'Normal',
    reason: 'ConfigurationMended',
    action: 'ReadConfiguration',
    note: 'The configuration is valid again.',
  }),
  'publish-failed': ({ error }) => ({
    type: 'Warning',
    reason: 'PublishFailed',
    action: 'Publish',
    note: `The toolset was not published: ${oneLine(error instanceof Error ? error.message : String(error), MAX_TEXT)}`,
  }),
};

/** Emits engine events as Kubernetes Events. @param record receives them, and must not throw */
export function engineEvents(record: (event: ObjectEvent) => void): (event: EngineEvent) => void {
  return (event) => {
    const format = EVENT_FORMATTERS[event.kind] as
      | ((event: EngineEvent) => ObjectEvent | readonly ObjectEvent[])
      | undefined;
    for (const { note, ...rest } of [format?.(event) ?? []].flat())
      record({ ...rest, note: hideInMessage(note) });
  };
}

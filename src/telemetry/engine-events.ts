import type { EngineEvent } from '../controller/events.ts';
import type { ToolChange } from '../controller/tool-changes.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { oneLine, quoted } from '../model/text.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** Lines of a difference that are told. */
const DIFF_LINES = 12;
/** Most names or faults that are told, and most characters of a text from elsewhere. */
const NAMES = 5;
const TEXT = 600;

const TOOLS = 'kubernaut.io/discovered-services';

function listed(names: readonly string[], named = oneLine): string {
  const shown = names.slice(0, NAMES).map((name) => named(name, 100));
  return `${shown.join(', ')}${names.length > NAMES ? ` and ${names.length - NAMES} more` : ''}`;
}

/** `added: a; changed: b, c`. */
function toolChangeText({ added, removed, changed }: ToolChange): string {
  return Object.entries({ added, removed, changed })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${listed(names, quoted)}`)
    .join('; ');
}

/** What happened to the tools of an MCP server, in a sentence without its stop. */
export function toolChangeSentence(change: ToolChange): string {
  const { service, since, added } = change;
  const offers = `it offers ${added.length === 0 ? 'no tools' : listed(added, quoted)}`;
  if (since === 'before') return `The MCP server ${service} changed its tools: ${toolChangeText(change)}`;
  return since === 'approval'
    ? `The MCP server ${service} has other tools than approve showed: ${offers}. Approve it again to accept them, or revoke the approval`
    : `The MCP server ${service} is published, and its tools cannot be compared with any that a person was shown: ${offers}`;
}

/** Most namespaces that have an Event of their own at a time. */
const NAMESPACES = 20;

/** Keys of Services by namespace, so that nobody's many hide another's; those of the last namespaces together. */
function byNamespace(keys: readonly string[]): (readonly [namespace: string | undefined, keys: string[]])[] {
  const all = [...Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf('/')))];
  const rest = all.slice(NAMESPACES).flatMap(([, each]) => each);
  return [...all.slice(0, NAMESPACES), ...(rest.length === 0 ? [] : [[undefined, rest] as const])];
}

const waits = (about: string | undefined, fresh: readonly string[], waiting: number): ObjectEvent => ({
  type: 'Normal',
  reason: 'WaitsForApproval',
  action: 'Approve',
  ...(about === undefined ? {} : { about }),
  note: `New MCP servers or annotated Services need approval before they are published: ${listed(fresh)}. Approve one with: dynamic-toolset approve NAMESPACE/NAME. ${waiting} wait.`,
});

/** How an event of the engine is told about the ConfigMap; a kind that is not here is not told. */
const TOLD: { readonly [K in EngineEvent['kind']]?: (event: Of<K>) => ObjectEvent | readonly ObjectEvent[] } =
  {
    published: ({ plan }) => {
      const count = plan.annotations[TOOLS];
      const tools =
        count === undefined ? 'The toolset' : `A toolset with ${count} tool${count === '1' ? '' : 's'}`;
      const how = plan.action === 'create' ? 'created' : `updated: ${listed(plan.changes)}`;
      return {
        type: 'Normal',
        reason: 'Published',
        action: 'Publish',
        note: `${tools} was published; ${how}`,
      };
    },
    drift: ({ keys, diff }) => {
      const lines = diff.slice(0, DIFF_LINES).map(({ text }) => text);
      return {
        type: 'Warning',
        reason: 'DriftReverted',
        action: 'Revert',
        note: [
          `Somebody changed ${listed(keys)}; the change was reverted. Write changes into overrides.yaml.`,
          ...lines,
        ].join('\n'),
      };
    },
    'drift-repeated': ({ keys }) => ({
      type: 'Warning',
      reason: 'DriftRepeated',
      action: 'Revert',
      note: `Something keeps making the same change to ${listed(keys)}; it is reverted only once a minute. Find the writer in metadata.managedFields.`,
    }),
    recreated: ({ overrides }) => ({
      type: 'Warning',
      reason: 'Recreated',
      action: 'Recreate',
      note: `The ConfigMap was deleted and was recreated${overrides ? ', with the last known overrides.yaml' : ''}.`,
    }),
    'overrides-invalid': ({ faults }) => ({
      type: 'Warning',
      reason: 'OverridesInvalid',
      action: 'ReadOverrides',
      note: `overrides.yaml cannot be used: ${oneLine(faults, TEXT)}. The last toolset stays until it is fixed.`,
    }),
    'overrides-mended': () => ({
      type: 'Normal',
      reason: 'OverridesMended',
      action: 'ReadOverrides',
      note: 'overrides.yaml is valid again.',
    }),
    'approvals-waiting': ({ waiting, fresh }) =>
      fresh.length > 0
        ? byNamespace(fresh).map(([about, keys]) => waits(about, keys, waiting.length))
        : {
            type: 'Normal',
            reason: 'ApprovalsChanged',
            action: 'Approve',
            note: `${waiting.length} MCP servers and annotated Services wait for approval.`,
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
      note: `${tools.length} tools are gone or unusable. They stay for ${Math.ceil(retryIn / 1000)} s: ${listed(tools)}. To remove them now, set the annotation kubernaut.io/allow-removal: "true".`,
    }),
    'rolled-back': ({ to, faults }) => ({
      type: 'Warning',
      reason: 'RolledBack',
      action: 'RollBack',
      note: `The published documents were unusable when they were read back: ${oneLine(listed(faults), TEXT)}. Rolled back to revision ${to}.`,
    }),
    rollback: ({ to, holds }) => ({
      type: 'Normal',
      reason: holds ? 'RollbackHolds' : 'RollbackEnded',
      action: 'RollBack',
      note: holds
        ? `The rollback to revision ${to} holds until the inputs change.`
        : `The inputs changed, so the rollback to revision ${to} ended.`,
    }),
    reconfigured: ({ changes }) => ({
      type: 'Normal',
      reason: 'ConfigurationChanged',
      action: 'ReadConfiguration',
      note: `The configuration changed: ${listed(changes)}.`,
    }),
    'configuration-refused': ({ error }) => ({
      type: 'Warning',
      reason: 'ConfigurationInvalid',
      action: 'ReadConfiguration',
      note: `The configuration cannot be used, and the previous one stays in force: ${oneLine(error.message, TEXT)}`,
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
      note: `The toolset was not published: ${oneLine(error instanceof Error ? error.message : String(error), TEXT)}`,
    }),
  };

/** Tells what the engine did as Kubernetes Events. @param record takes them, and must not throw */
export function engineEvents(record: (event: ObjectEvent) => void): (event: EngineEvent) => void {
  return (event) => {
    const told = TOLD[event.kind] as
      | ((event: EngineEvent) => ObjectEvent | readonly ObjectEvent[])
      | undefined;
    for (const { note, ...rest } of [told?.(event) ?? []].flat())
      record({ ...rest, note: hideSecrets(note) });
  };
}

import { type Input, openInput, stagesOf } from '../../app/pipeline.ts';
import { discover, type Stages } from '../../controller/pass.ts';
import { NO_NAMING } from '../../detection/names.ts';
import { approvalKind } from '../../model/approvals.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import { ConfigError, UserError } from '../../model/errors.ts';
import { displayKey } from '../../model/key.ts';
import { type ApprovedKind, NO_OVERRIDES } from '../../model/overrides.ts';
import { type ServiceName, serviceKey } from '../../model/service.ts';
import { OUTPUTS } from '../../outputs/registry.ts';
import { manyLines, textLines, toolCount, toolLines, unknownTools } from '../../planning/tool-list.ts';
import { NO_TOOLS_SHOWN, toolsShown } from '../../planning/tools-shown.ts';
import type { Prober } from '../../probing/prober.ts';
import { readOnce } from '../../sources/source.ts';
import type { CliContext } from '../cli-context.ts';
import { type InputFlags, inputOf, settingsOf } from '../input-flags.ts';
import { missingService } from '../not-found.ts';
import { warn } from '../output.ts';

/** Maximum tools shown for one server: every tool that is read, because the approval covers all of them. */
const MAX_TOOLS_SHOWN = 512;

/** What the user is shown of a Service to approve. */
export interface ShownService {
  /** Its detected type. `undefined` if it needs no approval. */
  readonly kind: ApprovedKind | undefined;
  /** Its tools, see `toolsShown`. If none could be shown, it is approved without any, so the agent asks before each. */
  readonly tools: string | undefined;
  /** Lines that describe it. */
  readonly lines: readonly string[];
}

/**
 * The lines that describe a server to the user who approves it: type, health and tools. If its tools have many lines, the
 * first line says so, and is repeated behind them, where the user looks.
 * @param isTerminal whether to divide lines that a terminal would wrap
 */
function* serviceLines(found: DiscoveredService, isTerminal: boolean): Generator<string> {
  const { verdict, mcp } = found;
  const summary =
    mcp === true ? `; ${toolCount(verdict) ?? `${unknownTools(verdict)} until you approve it again`}` : '';
  const flood = manyLines(verdict, MAX_TOOLS_SHOWN);
  const size = flood === undefined ? '' : ` (${flood})`;
  const first = `${displayKey(found.service)}: ${found.type}, ${verdict.health} (${verdict.reason})${summary}${size}`;
  yield first;
  if (found.tenantDescription) {
    yield '  described to the agent as';
    for (const line of textLines([found.description], isTerminal)) yield `  ${line}`;
  }
  const asks = OUTPUTS.whyAsksBeforeEach(displayKey(found.service), verdict, NO_OVERRIDES);
  for (const line of toolLines(verdict, MAX_TOOLS_SHOWN, isTerminal, asks)) yield `  ${line}`;
  if (flood !== undefined) yield first;
}

const NOT_PROBED = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
} as const;

/** The flags that matter here. */
type Flags = InputFlags & { readonly type?: ApprovedKind };

type Sync = Awaited<ReturnType<typeof readOnce>>;

/** The namespaces, as places of problems, that were not read, or not completely. They may have any Service. */
const unreadPlaces = ({ stale, problems }: Sync): ReadonlySet<string> =>
  new Set([...stale.map((each) => `namespace ${each}`), ...problems.map(({ where }) => where)]);

/** @param word what to do with a Service @throws ConfigError if one of the Services does not exist */
async function mustExist(
  names: readonly ServiceName[],
  sync: Sync,
  input: Input,
  word: 'approve' | 'refuse',
  signal: AbortSignal,
): Promise<void> {
  const unread = unreadPlaces(sync);
  for (const { namespace, name } of names) {
    const there = sync.services.filter((service) => service.namespace === namespace).map((each) => each.name);
    if (there.includes(name) || unread.has(`namespace ${namespace}`)) continue;
    const missing = await missingService(namespace, name, there, input, signal);
    throw new ConfigError(
      `${missing}${missing.endsWith('?') ? '' : '.'} To ${word} a Service that does not exist yet, use --file`,
    );
  }
}

/** The Services of the namespaces of some names, as far as they can be read from this machine. */
async function readServices(names: readonly ServiceName[], flags: Flags, cli: CliContext) {
  const scoped = { ...flags, namespace: [...new Set(names.map(({ namespace }) => namespace))].join(',') };
  const settings = await settingsOf(scoped, cli);
  const input = await openInput(inputOf(scoped, cli), settings, false);
  const read = readOnce(input.source, cli.signal).then((sync) => ({ sync, fault: undefined }));
  const { sync, fault } = await read.catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return { sync: undefined, fault: error.message };
  });
  return { settings, input, sync, fault };
}

/** Checks that the Services to refuse exist, as far as they can be read from this machine. @throws ConfigError if one does not */
export async function checkRefused(
  names: readonly ServiceName[],
  flags: Flags,
  cli: CliContext,
): Promise<void> {
  const { input, sync, fault } = await readServices(names, flags, cli);
  if (sync !== undefined) return await mustExist(names, sync, input, 'refuse', cli.signal);
  cli.output.messages.write(`warning: cannot check from here that these Services exist: ${fault}\n`);
}

/** Detects and probes the named Services. */
async function discoverNamed(
  names: readonly ServiceName[],
  sync: Sync,
  { prober, ...stages }: Stages,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DiscoveredService>> {
  const wanted = new Set(names.map(displayKey));
  const only: Prober = {
    ...(prober.prepare === undefined ? {} : { prepare: prober.prepare.bind(prober) }),
    probe: (candidate, stop) =>
      wanted.has(displayKey(candidate.service)) ? prober.probe(candidate, stop) : Promise.resolve(NOT_PROBED),
  };
  // Every named Service is its own entry point, so none is shown as an alternate of another.
  const naming = { ...NO_NAMING, named: new Set(names.map(serviceKey)) };
  const { services } = await discover(sync.services, { ...stages, prober: only, naming }, signal);
  return new Map(services.map((found) => [displayKey(found.service), found]));
}

/**
 * Describes what is about to be approved, as far as the cluster can be read from this machine.
 * @returns what to show, for each Service that is a backend
 * @throws UserError if a Service does not exist, or is not a backend and no type is given
 */
export async function showServices(
  names: readonly ServiceName[],
  flags: Flags,
  cli: CliContext,
): Promise<Map<ServiceName, ShownService>> {
  const shown = new Map<ServiceName, ShownService>();
  const { messages } = cli.output;
  const { settings, input, sync, fault } = await readServices(names, flags, cli);
  if (sync === undefined) {
    messages.write(`warning: cannot detect the type of these Services from here: ${fault}\n`);
    return shown;
  }
  warn(cli.output, sync.problems);
  await mustExist(names, sync, input, 'approve', cli.signal);
  const found = await discoverNamed(
    names,
    sync,
    await stagesOf(settings, input, { keepsTexts: true }),
    cli.signal,
  );
  const unread = unreadPlaces(sync);
  for (const name of names) {
    const key = displayKey(name);
    const backend = found.get(key);
    if (backend !== undefined) {
      const tools = backend.mcp === true ? (toolsShown(backend.verdict) ?? NO_TOOLS_SHOWN) : undefined;
      shown.set(name, {
        kind: approvalKind(backend),
        tools,
        lines: [...serviceLines(backend, messages.isTTY === true)],
      });
      continue;
    }
    const what = `${key}: not a backend at the moment; dynamic-toolset explain ${key} shows why`;
    if (flags.type === undefined && !unread.has(`namespace ${name.namespace}`))
      throw new ConfigError(`${what}. To approve it anyway, name its type: --type mcp or --type custom`);
    messages.write(`${what}\n`);
  }
  return shown;
}

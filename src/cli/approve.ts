import { stat, writeFile } from 'node:fs/promises';
import type { Configuration } from '../app/configuration.ts';
import { openCluster, openInput, stagesOf } from '../app/pipeline.ts';
import { discover } from '../controller/pass.ts';
import { NO_NAMING } from '../detection/names.ts';
import { replaceFile } from '../files/replace-file.ts';
import { approvalKind } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError, FindingsError, UserError } from '../model/errors.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import type { ApprovalWord, ApprovedKind } from '../model/overrides.ts';
import { type ServiceName, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { faultsLine, readOverrides } from '../outputs/read-overrides.ts';
import { approve } from '../planning/approve.ts';
import { textDiff } from '../planning/changes.ts';
import { toolCount, toolLines } from '../planning/tool-list.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { parseKey } from './explain.ts';
import { type InputFlags, inputOf, settingsOf } from './input-flags.ts';
import { missingService } from './not-found.ts';
import { warn } from './output.ts';
import { printDiff } from './print-diff.ts';
import { readInput } from './read-input.ts';

export interface ApproveFlags extends InputFlags {
  /** Edit this file instead of the ConfigMap; `-`: from standard input to standard output. */
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly revoke?: boolean;
  /** The type to approve, instead of the detected one. */
  readonly type?: ApprovedKind;
}

/** Maximum tools shown for one server: every tool that is read, because the approval covers all of them. */
const MAX_TOOLS_SHOWN = 512;

/** The name of a namespace or a Service (RFC 1123 label). */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Parses the name of one Service. Patterns are rejected, because each Service is approved on its own. @throws UserError */
function parseServiceName(text: string): ServiceName {
  const { namespace, name } = parseKey(text);
  const wrong = [namespace, name].find((each) => !NAME.test(each));
  if (wrong === undefined) return { cluster: HOME_CLUSTER, namespace, name };
  throw new ConfigError(
    `"${oneLine(text, 150)}": "${oneLine(wrong, 70)}" is not the name of a namespace or Service; approve each Service by its own name, for example shop/orders-mcp`,
  );
}

/** What the user was shown before approving a Service. */
interface ShownService {
  /** The type that is approved. */
  readonly kind: ApprovedKind;
  /** Its tools, see `toolsShown`. */
  readonly tools: string | undefined;
}

/** The approval to write for a Service. */
interface ApprovalEntry {
  readonly approved: ApprovalWord;
  readonly tools?: string | undefined;
}

/** Writes the approvals into the text of `overrides.yaml`. @throws UserError if the text is invalid or cannot be changed */
function applyApprovals(text: string, words: ReadonlyMap<ServiceName, ApprovalEntry>, where: string): string {
  const read = readOverrides(text);
  if ('faults' in read)
    throw new FindingsError(
      `${where} cannot be used: ${faultsLine(read)}; correct it first, and see it with validate --kind overrides`,
    );
  let after = text;
  for (const [name, { approved, tools }] of words) {
    const result = approve(after, name, approved, tools);
    if ('fault' in result) throw new FindingsError(`${where} is left as it is: ${result.fault}`);
    after = result.text;
  }
  const again = readOverrides(after);
  if ('faults' in again)
    throw new FindingsError(
      `${where} is left as it is: with the approval it could not be used (${faultsLine(again)})`,
    );
  return after;
}

/** The lines that describe a server to the user who approves it: type, health and tools. */
function* serviceLines(found: DiscoveredService): Generator<string> {
  const { verdict } = found;
  const summary = toolCount(verdict) ?? 'its tools are unknown';
  yield `${displayKey(found.service)}: ${found.type}, ${verdict.health} (${verdict.reason}); ${summary}`;
  for (const line of toolLines(verdict, MAX_TOOLS_SHOWN)) yield `  ${line}`;
}

/**
 * Prints what is about to be approved, as far as the cluster can be read from this machine.
 * @returns what was shown, for each Service that needs approval
 * @throws UserError if a Service does not exist
 */
async function showServices(
  names: readonly ServiceName[],
  flags: ApproveFlags,
  cli: CliContext,
): Promise<Map<ServiceName, ShownService>> {
  const shown = new Map<ServiceName, ShownService>();
  const namespaces = [...new Set(names.map(({ namespace }) => namespace))];
  const scoped = { ...flags, namespace: namespaces.join(',') };
  const settings = await settingsOf(scoped, cli);
  const input = await openInput(inputOf(scoped, cli), settings, false);
  const sync = await readOnce(input.source, cli.signal).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    cli.output.messages.write(
      `warning: cannot detect the type of these Services from here: ${error.message}\n`,
    );
  });
  if (sync === undefined) return shown;
  warn(cli.output, sync.problems);
  // A namespace that could not be read, or not completely, may have the Service.
  const unread = new Set([
    ...sync.stale.map((each) => `namespace ${each}`),
    ...sync.problems.map(({ where }) => where),
  ]);
  for (const { namespace, name } of names) {
    const there = sync.services.filter((service) => service.namespace === namespace).map((each) => each.name);
    if (there.includes(name) || unread.has(`namespace ${namespace}`)) continue;
    throw new ConfigError(
      `${await missingService(namespace, name, there, input, cli.signal)}. To approve a Service that does not exist yet, use --file`,
    );
  }
  const wanted = new Set(names.map(displayKey));
  const stages = await stagesOf(settings, input);
  const { prober } = stages;
  const only = {
    ...(prober.prepare === undefined ? {} : { prepare: prober.prepare.bind(prober) }),
    probe: (...[candidate, signal]: Parameters<typeof prober.probe>) =>
      wanted.has(displayKey(candidate.service))
        ? prober.probe(candidate, signal)
        : Promise.resolve(NOT_PROBED),
  };
  // Every named Service is its own entry point, so none is shown as an alternate of another.
  const naming = { ...NO_NAMING, named: new Set(names.map(serviceKey)) };
  const { services } = await discover(sync.services, { ...stages, prober: only, naming }, cli.signal);
  const { messages } = cli.output;
  for (const name of names) {
    const found = services.find(({ service }) => displayKey(service) === displayKey(name));
    if (found === undefined) {
      messages.write(
        `${displayKey(name)}: not a backend at the moment; dynamic-toolset explain ${displayKey(name)} shows why\n`,
      );
      continue;
    }
    for (const line of serviceLines(found)) messages.write(`${line}\n`);
    const kind = approvalKind(found);
    if (kind === undefined) messages.write(`${displayKey(name)}: a ${found.type} needs no approval\n`);
    else shown.set(name, { kind, tools: toolsShown(found.verdict) });
  }
  return shown;
}

const NOT_PROBED = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
} as const;

const NAME_ANOTHER = 'name another with --file';

const isMissing = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

/** Reads `overrides.yaml` from a file, which need not exist. @throws ConfigError; AbortError */
async function readOverridesFile(path: string, isDryRun: boolean, cli: CliContext): Promise<string> {
  const isStdin = path === '-';
  const found = isStdin ? undefined : await stat(path).catch(() => undefined);
  if (!isDryRun && (found?.isFIFO() || found?.isCharacterDevice()))
    throw new ConfigError(
      `${path} is a FIFO or a device, which cannot be edited; use --file - for standard input and output`,
    );
  try {
    return await readInput(path, { fix: NAME_ANOTHER, isStdin }, cli);
  } catch (error) {
    if (error instanceof ConfigError && isMissing(error.cause)) return '';
    throw error;
  }
}

/** Replaces a file, or writes it in place where that is not possible: a folder that is not writable, or a mounted file. */
async function writeOverridesFile(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EBUSY', 'EPERM'].includes(code)) throw error;
    await writeFile(path, text);
  }
}

async function approveInFile(
  path: string,
  edit: (text: string) => string,
  flags: ApproveFlags,
  cli: CliContext,
) {
  const isDryRun = flags.dryRun === true;
  const before = await readOverridesFile(path, isDryRun, cli);
  const after = edit(before);
  if (isDryRun) return { before, after };
  if (path === '-') cli.output.result.write(after);
  else if (after !== before)
    await writeOverridesFile(path, after).catch((error: unknown) => {
      throw new ConfigError(`cannot write ${path}: ${(error as Error).message}; ${NAME_ANOTHER}`, {
        cause: error,
      });
    });
  return { before, after };
}

async function approveInCluster(
  settings: Configuration,
  edit: (text: string) => string,
  flags: ApproveFlags,
  cli: CliContext,
) {
  const { editOverrides } = await import('../publishers/config-map/edit-overrides.ts');
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  return editOverrides(
    await openCluster(inputOf(flags, cli)),
    target,
    edit,
    flags.dryRun === true,
    cli.signal,
  );
}

/** `approve`: approves MCP servers and annotated Services, or revokes the approval. @returns the exit code */
export async function approveCommand(
  services: readonly string[],
  flags: ApproveFlags,
  cli: CliContext,
): Promise<number> {
  const names = services.map(parseServiceName);
  const settings = await settingsOf(flags, cli);
  const approved = flags.revoke !== true;
  const where =
    flags.file === undefined
      ? `${OVERRIDES_KEY} in ConfigMap ${settings.configMapNamespace}/${settings.configMapName}`
      : flags.file === '-'
        ? 'standard input'
        : flags.file;
  const shown =
    flags.file === undefined && approved
      ? await showServices(names, flags, cli)
      : new Map<ServiceName, ShownService>();
  const wordOf = (name: ServiceName): ApprovalWord =>
    approved && (flags.type ?? shown.get(name)?.kind ?? true);
  const words = new Map<ServiceName, ApprovalEntry>(
    names.map((name) => [name, { approved: wordOf(name), tools: shown.get(name)?.tools }]),
  );
  const edit = (text: string): string => applyApprovals(text, words, where);
  const { before, after } =
    flags.file === undefined
      ? await approveInCluster(settings, edit, flags, cli)
      : await approveInFile(flags.file, edit, flags, cli);
  if (flags.dryRun === true && before !== after) printDiff(textDiff(OVERRIDES_KEY, before, after), cli);
  const word = approved ? 'approved' : 'no longer approved';
  const listed = [...words].map(([name, { approved: kind }]) =>
    typeof kind === 'string' ? `${displayKey(name)} (as ${kind})` : displayKey(name),
  );
  const are = `${listed.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
  const { messages } = cli.output;
  if (before === after) messages.write(`${are} ${word} already in ${where}; nothing was changed.\n`);
  else if (flags.dryRun === true)
    messages.write(
      `${are} not ${approved ? 'approved' : 'revoked'} yet: this would be written to ${where}.\n`,
    );
  else
    messages.write(
      `${are} ${word} in ${where}${flags.file === undefined ? '; serve applies this within seconds' : ''}.\n`,
    );
  const open = names.filter((name) => words.get(name)?.approved === true).map(displayKey);
  if (open.length > 0)
    messages.write(
      `${open.join(', ')}: cannot detect the type from here, so any type is approved; use --type mcp to approve only an MCP server.\n`,
    );
  return EXIT.ok;
}

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Configuration } from '../app/configuration.ts';
import { openCluster } from '../app/pipeline.ts';
import { FileChangedError, rewriteFile } from '../files/replace-file.ts';
import { unwritable } from '../files/unwritable.ts';
import { type Approval, type Approvals, approvalsIn } from '../model/approvals.ts';
import { binaryIn } from '../model/binary-text.ts';
import type { Problem } from '../model/discovery.ts';
import { DNS_LABEL } from '../model/dns-label.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError, FindingsError } from '../model/errors.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import { type ApprovalWord, type ApprovedKind, NO_OVERRIDES } from '../model/overrides.ts';
import { defaultName, type ServiceName, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { faultsLine, readOverrides } from '../outputs/read-overrides.ts';
import { approve } from '../planning/approve.ts';
import { textDiff } from '../planning/changes.ts';
import { isWatched } from '../planning/conditions/published.ts';
import { NO_TOOLS_SHOWN } from '../planning/tools-shown.ts';
import { checkRefused, type ShownService, showServices } from './approve/shown.ts';
import type { CliContext } from './cli-context.ts';
import { withQuiet } from './commands/command.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf } from './input-flags.ts';
import { warn } from './output.ts';
import { parseKey } from './parse-key.ts';
import { printDiff } from './print-diff.ts';
import { readInput } from './read-input.ts';
import { type StoredSettings, storedSettings } from './stored-settings.ts';

export interface ApproveFlags extends InputFlags {
  /** Edit this file instead of the ConfigMap; `-`: from standard input to standard output. */
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly revoke?: boolean;
  /** The type to approve, instead of the detected one. */
  readonly type?: ApprovedKind;
}

/** The name of a namespace or a Service (RFC 1123 label). */

/** Parses the name of one Service. Patterns are rejected, because each Service is approved on its own. @throws UserError */
function parseServiceName(text: string): ServiceName {
  const { namespace, name } = parseKey(text);
  const wrong = [namespace, name].find((each) => !DNS_LABEL.test(each));
  if (wrong === undefined) return { cluster: HOME_CLUSTER, namespace, name };
  throw new ConfigError(
    `"${oneLine(text, 150)}": "${oneLine(wrong, 70)}" is not the name of a namespace or Service; approve each Service by its own name, for example shop/orders-mcp`,
  );
}

/** The approval to write for a Service. */
interface ApprovalEntry {
  readonly approved: ApprovalWord;
  readonly tools?: string | undefined;
  /** Whether its type is unknown, so that `approved` is `true`. */
  readonly isAnyType?: boolean;
}

/** The text to edit: what it is called in messages, and the command that shows every error in it. */
interface Place {
  readonly where: string;
  readonly check: string;
}

/** The word to write: without a known type, one that approves a type already stays, because `true` would approve more. */
const wordFor = ({ approved, isAnyType }: ApprovalEntry, before: Approval | undefined): ApprovalWord =>
  (isAnyType === true ? before?.as[0] : undefined) ?? approved;

/** @throws FindingsError if the other form of a Service's key refuses what was approved */
function checkUnrefused(name: ServiceName, approved: ApprovalWord, text: string, where: string): void {
  if (approved === false || approvalsOf(text).get(serviceKey(name))?.refused !== true) return;
  const read = readOverrides(text);
  const { tools } = 'value' in read ? read.value : NO_OVERRIDES;
  const other = [displayKey(name), defaultName(name)].find((key) => tools[key]?.approved === false);
  throw new FindingsError(
    `${where} is left as it is: it has approved: false for the same Service under ${other}, which wins; take that out first`,
  );
}

/** Writes the approvals into the text of `overrides.yaml`. @throws UserError if the text is invalid or cannot be changed */
function applyApprovals(
  text: string,
  words: ReadonlyMap<ServiceName, ApprovalEntry>,
  { where, check }: Place,
): string {
  const read = readOverrides(text);
  if ('faults' in read)
    throw new FindingsError(
      binaryIn(text) === undefined
        ? `${where} cannot be used: ${faultsLine(read)}; correct it first; this shows every error: ${check}`
        : `${where} cannot be used: ${faultsLine(read)}`,
    );
  const approvals = approvalsIn(read.value);
  let after = text;
  for (const [name, entry] of words) {
    const approved = wordFor(entry, approvals.get(serviceKey(name)));
    const result = approve(after, name, approved, entry.tools);
    if ('fault' in result) throw new FindingsError(`${where} is left as it is: ${result.fault}`);
    after = result.text;
    checkUnrefused(name, approved, after, where);
  }
  const again = readOverrides(after);
  if ('faults' in again)
    throw new FindingsError(
      `${where} is left as it is: with the approval it could not be used (${faultsLine(again)})`,
    );
  return after;
}

const NAME_ANOTHER = 'choose another file with --file';

const isMissing = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

/** The text before and after the edit. */
interface Edited {
  readonly before: string;
  readonly after: string;
  /** Whether the file did not exist. */
  readonly isNew?: boolean;
}

/** Reads `overrides.yaml` from a file. `undefined` if it does not exist. @throws ConfigError; AbortError */
async function readOverridesFile(
  path: string,
  isDryRun: boolean,
  cli: CliContext,
): Promise<string | undefined> {
  const isStdin = path === '-';
  const found = isStdin ? undefined : await stat(path).catch(() => undefined);
  if (!isDryRun && (found?.isFIFO() || found?.isCharacterDevice()))
    throw new ConfigError(
      `${path} is a FIFO or a device, which cannot be edited; use --file - for standard input and output`,
    );
  try {
    return await readInput(path, { fix: NAME_ANOTHER, isStdin }, cli);
  } catch (error) {
    if (!(error instanceof ConfigError) || !isMissing(error.cause)) throw error;
  }
  // Also for a dry run, which writes nothing.
  await stat(dirname(path)).catch((error: Error) => {
    throw new ConfigError(
      `cannot write ${path}: ${unwritable(Object.assign(error, { path }))}; ${NAME_ANOTHER}`,
      {
        cause: error,
      },
    );
  });
  return undefined;
}

/** How often an edit is repeated because others changed the file meanwhile. */
const MAX_ATTEMPTS = 6;

async function approveInFile(
  path: string,
  edit: (text: string) => string,
  flags: ApproveFlags,
  cli: CliContext,
  attempt = 1,
): Promise<Edited> {
  const isDryRun = flags.dryRun === true;
  const read = await readOverridesFile(path, isDryRun, cli);
  const before = read ?? '';
  const after = edit(before);
  const edited = { before, after, isNew: read === undefined };
  if (isDryRun) return edited;
  if (path === '-') cli.output.result.write(after);
  else if (after !== before)
    try {
      await rewriteFile(path, after, before);
    } catch (error) {
      if (error instanceof FileChangedError && attempt < MAX_ATTEMPTS)
        return await approveInFile(path, edit, flags, cli, attempt + 1);
      throw new ConfigError(`cannot write ${path}: ${(error as Error).message}; ${NAME_ANOTHER}`, {
        cause: error,
      });
    }
  return edited;
}

async function approveInCluster(
  settings: Configuration,
  edit: (text: string) => string,
  flags: ApproveFlags,
  cli: CliContext,
): Promise<Edited> {
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

/** Services that overrides do not name must exist: a misspelt name would leave the approval that a user means. */
async function checkRevoked(
  names: readonly ServiceName[],
  settings: Configuration,
  flags: ApproveFlags,
  cli: CliContext,
): Promise<void> {
  const { before } = await approveInCluster(settings, (text) => text, { ...flags, dryRun: true }, cli);
  const isNamed = namedIn(before);
  const unknown = names.filter((name) => !isNamed(name));
  if (unknown.length > 0) await checkRefused(unknown, flags, cli);
}

/**
 * The approvals to write, by Service. Services that need no approval get one only with an explicit type. Where nothing could
 * be shown of a Service in a cluster, no tools count as shown.
 */
function entriesFor(
  names: readonly ServiceName[],
  shown: ReadonlyMap<ServiceName, ShownService>,
  { type, revoke, file }: ApproveFlags,
): Map<ServiceName, ApprovalEntry> {
  const none = file === undefined && type !== 'custom' ? NO_TOOLS_SHOWN : undefined;
  const entries = names.flatMap((name): (readonly [ServiceName, ApprovalEntry])[] => {
    if (revoke === true) return [[name, { approved: false }]];
    const found = shown.get(name);
    if (found === undefined)
      return [
        [
          name,
          { ...(type === undefined ? { approved: true, isAnyType: true } : { approved: type }), tools: none },
        ],
      ];
    const kind = type ?? found.kind;
    return kind === undefined ? [] : [[name, { approved: kind, tools: found.tools }]];
  });
  return new Map(entries);
}

/** The Services that a text of overrides names, under either form of their keys. */
function namedIn(text: string): (name: ServiceName) => boolean {
  const read = readOverrides(text);
  const { tools } = 'value' in read ? read.value : NO_OVERRIDES;
  return (name) => [displayKey(name), defaultName(name)].some((key) => Object.hasOwn(tools, key));
}

/** The approvals in a text. None if it is invalid. */
function approvalsOf(text: string): Approvals {
  const read = readOverrides(text);
  return approvalsIn('value' in read ? read.value : NO_OVERRIDES);
}

type Words = ReadonlyMap<ServiceName, ApprovalEntry>;

/** The Services whose approvals change a text, and those whose approvals it has already. */
type Changes = Readonly<Record<'changed' | 'unchanged', ReadonlySet<ServiceName>>>;

function changesOf(words: Words, before: string): Changes {
  const approvals = approvalsOf(before);
  const isChange = (name: ServiceName): boolean => {
    const entry = words.get(name) ?? { approved: true };
    const result = approve(before, name, wordFor(entry, approvals.get(serviceKey(name))), entry.tools);
    return !('text' in result) || result.text !== before;
  };
  const changed = new Set([...words.keys()].filter(isChange));
  return { changed, unchanged: new Set([...words.keys()].filter((name) => !changed.has(name))) };
}

/** The lines that say what was done. */
function resultLines(
  words: Words,
  { changed, unchanged }: Changes,
  place: string,
  { file, dryRun, revoke }: ApproveFlags,
  isWatchedName: (name: ServiceName) => boolean,
): string[] {
  const listed = (names: ReadonlySet<ServiceName>): string =>
    [...names]
      .map((name) => {
        const { approved: kind } = words.get(name) ?? {};
        return typeof kind === 'string' ? `${displayKey(name)} (as ${kind})` : displayKey(name);
      })
      .join(', ');
  const are = (names: ReadonlySet<ServiceName>): string =>
    `${listed(names)} ${names.size === 1 ? 'is' : 'are'}`;
  const lines: string[] = [];
  const say = (word: string, meaning = ''): void => {
    if (changed.size === 0) return;
    const isSoon = file === undefined && [...changed].some(isWatchedName);
    lines.push(
      dryRun === true
        ? `Dry run: ${listed(changed)} would be ${word} in ${place}; nothing was written.`
        : `${are(changed)} ${revoke === true ? 'now ' : ''}${word} in ${place}${meaning}${isSoon ? '; serve applies this within seconds' : ''}.`,
    );
  };
  const [they, them] = changed.size === 1 ? ['it is', 'it'] : ['they are', 'them'];
  if (revoke === true) say('refused', `: ${they} not published, and nobody is asked to approve ${them}`);
  else say('approved');
  if (unchanged.size > 0) {
    const state = revoke === true ? 'refused already' : 'approved already';
    lines.push(`${are(unchanged)} ${state} in ${place}${changed.size > 0 ? '' : '; nothing was changed'}.`);
  }
  return lines;
}

/** The command that shows every error of the text to edit. */
function checkCommand(
  file: string | undefined,
  { configMapNamespace, configMapName }: Configuration,
): string {
  const validate = 'dynamic-toolset validate --kind overrides';
  if (file !== undefined) return `${validate} ${file}`;
  return `kubectl -n ${configMapNamespace} get configmap ${configMapName} -o jsonpath='{.data.overrides\\.yaml}' | ${validate} -`;
}

const placeOf = (file: string | undefined, { configMapNamespace, configMapName }: Configuration): string =>
  file === '-'
    ? 'standard input'
    : (file ?? `${OVERRIDES_KEY} in ConfigMap ${configMapNamespace}/${configMapName}`);

/** A problem for each namespace of approved Services that `serve` does not watch, so that it publishes nothing of it. */
function unwatchedProblems(
  names: readonly ServiceName[],
  watched: StoredSettings['watched'],
): readonly Problem[] {
  const namespaces = new Set(names.map(({ namespace }) => namespace));
  return [...namespaces]
    .filter((namespace) => !isWatched(watched, namespace))
    .map((namespace) => ({
      where: `namespace ${namespace}`,
      what: `serve watches ${Array.isArray(watched) ? watched.join(', ') : 'others'} only, so what is approved in this namespace is not published`,
      fix: `set NAMESPACES of serve to *; adding ${namespace} by name also publishes all MCP servers and annotated Services there without approval`,
    }));
}

/**
 * `approve`: approves MCP servers and annotated Services, or revokes the approval. What it approves is printed with `--quiet`
 * too, because the approval covers the tools that the user saw.
 * @returns the exit code
 */
export async function approveCommand(
  services: readonly string[],
  flags: ApproveFlags,
  cli: CliContext,
): Promise<number> {
  const named = services.map(parseServiceName);
  const names = [...new Map(named.map((name) => [displayKey(name), name])).values()];
  const settings = await settingsOf(flags, cli);
  const { file } = flags;
  const where = placeOf(file, settings);
  const isShown = file === undefined && flags.revoke !== true;
  const shown = isShown ? await showServices(names, flags, cli) : new Map<ServiceName, ShownService>();
  const words = entriesFor(names, shown, flags);
  const { messages } = cli.output;
  const show = (names: ReadonlySet<ServiceName>): void => {
    for (const name of names) for (const line of shown.get(name)?.lines ?? []) messages.write(`${line}\n`);
  };
  // With --quiet, only what is new is shown, which is known after the edit.
  show(flags.quiet === true ? new Set() : new Set(shown.keys()));
  for (const name of names)
    if (!words.has(name)) messages.write(`${displayKey(name)} needs no approval, so none was written.\n`);
  for (const [name, { kind }] of shown)
    if (flags.type !== undefined && kind !== undefined && kind !== flags.type)
      messages.write(
        `${displayKey(name)} is of type ${kind} now, so it is not published until it is of type ${flags.type}.\n`,
      );
  if (words.size === 0) return EXIT.ok;
  if (flags.revoke === true && file === undefined) await checkRevoked(names, settings, flags, cli);
  const watched = isShown ? (await storedSettings(flags, cli)).watched : undefined;
  const edit = (text: string): string =>
    applyApprovals(text, words, { where, check: checkCommand(file, settings) });
  const edited =
    file === undefined
      ? await approveInCluster(settings, edit, flags, cli)
      : await approveInFile(file, edit, flags, cli);
  const { before, after, isNew } = edited;
  const changes = changesOf(words, before);
  if (flags.quiet === true) show(changes.changed);
  if (flags.dryRun === true && before !== after) printDiff(textDiff(OVERRIDES_KEY, before, after), cli);
  const place =
    file === '-' ? 'the text on standard output' : `${where}${isNew === true ? ', a new file' : ''}`;
  const isWatchedName = ({ namespace }: ServiceName): boolean => isWatched(watched, namespace);
  for (const line of resultLines(words, changes, place, flags, isWatchedName))
    withQuiet(cli, flags).output.messages.write(`${line}\n`);
  warn(cli.output, unwatchedProblems([...words.keys()], watched));
  const open = [...changes.changed].filter((name) => words.get(name)?.approved === true).map(displayKey);
  if (open.length > 0)
    messages.write(
      `${open.join(', ')}: the type is unknown here, so any type is approved; use --type mcp to approve only an MCP server.\n`,
    );
  return EXIT.ok;
}

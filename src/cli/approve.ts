import { readFile, writeFile } from 'node:fs/promises';
import { text as streamText } from 'node:stream/consumers';
import type { Configuration } from '../app/configuration.ts';
import { openCluster, openInput, stagesOf } from '../app/pipeline.ts';
import { discover } from '../controller/pass.ts';
import { NO_NAMING } from '../detection/names.ts';
import { approvalKind } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError, FindingsError, UserError } from '../model/errors.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import type { ApprovalWord, ApprovedKind } from '../model/overrides.ts';
import { type ServiceName, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { unreadable } from '../model/unreadable.ts';
import { approve } from '../planning/approve.ts';
import { textDiff } from '../planning/changes.ts';
import { faultsLine, readOverrides } from '../planning/overrides.ts';
import { toolCount, toolLines } from '../planning/tool-list.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { parseKey } from './explain.ts';
import { type InputFlags, inputOf, settingsOf } from './given.ts';
import { missingService } from './not-found.ts';
import { warn } from './output.ts';
import { printDiff } from './print-diff.ts';

export interface ApproveFlags extends InputFlags {
  /** Edit this file in place of the ConfigMap; `-`: from standard input to standard output. */
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly revoke?: boolean;
  /** As what they are approved, in place of what they are found to be. */
  readonly type?: ApprovedKind;
}

/** Most tools of one server that are shown: all that are read of a list, since a person approves all of them. */
const MAX_TOOLS_SHOWN = 512;

/** A name of a namespace or a Service, as Kubernetes takes them (RFC 1123 label). */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** One Service: an approval is never for a pattern. @throws UserError */
function serviceOf(text: string): ServiceName {
  const { namespace, name } = parseKey(text);
  const wrong = [namespace, name].find((each) => !NAME.test(each));
  if (wrong === undefined) return { cluster: HOME_CLUSTER, namespace, name };
  throw new ConfigError(
    `"${oneLine(text, 150)}": "${oneLine(wrong, 70)}" is not the name of a namespace or Service; approve each Service by its own name, for example shop/orders-mcp`,
  );
}

/** What a person was shown of a Service. */
interface Shown {
  /** As what it is approved. */
  readonly kind: ApprovedKind;
  /** Its tools, see `toolsShown`. */
  readonly tools: string | undefined;
}

/** What is written of a Service. */
interface Written {
  readonly approved: ApprovalWord;
  readonly tools?: string | undefined;
}

/** The text with a word on each of these Services. @throws UserError where it cannot be changed */
function edited(text: string, words: ReadonlyMap<ServiceName, Written>, where: string): string {
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

/** What a person decides on: what the server is, and its tools. */
function* described(found: DiscoveredService): Generator<string> {
  const { verdict } = found;
  const summary = toolCount(verdict) ?? 'its tools are unknown';
  yield `${displayKey(found.service)}: ${found.type}, ${verdict.health} (${verdict.reason}); ${summary}`;
  for (const line of toolLines(verdict, MAX_TOOLS_SHOWN)) yield `  ${line}`;
}

/**
 * Shows what is to be approved, as far as that can be seen from here.
 * @returns what was shown of each Service that needs approval, as far as it is known
 * @throws UserError where there is no such Service
 */
async function show(
  names: readonly ServiceName[],
  flags: ApproveFlags,
  run: CliContext,
): Promise<Map<ServiceName, Shown>> {
  const shown = new Map<ServiceName, Shown>();
  const namespaces = [...new Set(names.map(({ namespace }) => namespace))];
  const scoped = { ...flags, namespace: namespaces.join(',') };
  const settings = await settingsOf(scoped, run);
  const input = await openInput(inputOf(scoped, run), settings, false);
  const sync = await readOnce(input.source, run.signal).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    run.output.messages.write(
      `warning: cannot detect the type of these Services from here: ${error.message}\n`,
    );
  });
  if (sync === undefined) return shown;
  warn(run.output, sync.problems);
  for (const { namespace, name } of names) {
    const there = sync.services.filter((service) => service.namespace === namespace).map((each) => each.name);
    if (there.includes(name) || sync.stale.includes(namespace)) continue;
    throw new ConfigError(
      `${await missingService(namespace, name, there, input, run.signal)}. To approve a Service that does not exist yet, use --file`,
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
        : Promise.resolve(NOT_ASKED),
  };
  // A named Service is the way in, so none of them is shown as an alternate of another.
  const naming = { ...NO_NAMING, named: new Set(names.map(serviceKey)) };
  const { services } = await discover(sync.services, { ...stages, prober: only, naming }, run.signal);
  const { messages } = run.output;
  for (const name of names) {
    const found = services.find(({ service }) => displayKey(service) === displayKey(name));
    if (found === undefined) {
      messages.write(
        `${displayKey(name)}: not a backend at the moment; dynamic-toolset explain ${displayKey(name)} shows why\n`,
      );
      continue;
    }
    for (const line of described(found)) messages.write(`${line}\n`);
    const kind = approvalKind(found);
    if (kind === undefined) messages.write(`${displayKey(name)}: a ${found.type} needs no approval\n`);
    else shown.set(name, { kind, tools: toolsShown(found.verdict) });
  }
  return shown;
}

const NOT_ASKED = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
} as const;

async function textOf(path: string, run: CliContext): Promise<string> {
  if (path === '-') return streamText(run.stdin);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new ConfigError(`cannot read ${path}: ${unreadable(error)}; name another with --file`, {
      cause: error,
    });
  }
}

async function inFile(path: string, edit: (text: string) => string, flags: ApproveFlags, run: CliContext) {
  const before = await textOf(path, run);
  const after = edit(before);
  if (flags.dryRun === true) return { before, after };
  if (path === '-') run.output.result.write(after);
  else if (after !== before)
    await writeFile(path, after).catch((error: unknown) => {
      throw new ConfigError(`cannot write ${path}: ${(error as Error).message}; name another with --file`, {
        cause: error,
      });
    });
  return { before, after };
}

async function inCluster(
  settings: Configuration,
  edit: (text: string) => string,
  flags: ApproveFlags,
  run: CliContext,
) {
  const { editOverrides } = await import('../publishers/config-map/edit-overrides.ts');
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  return editOverrides(
    await openCluster(inputOf(flags, run)),
    target,
    edit,
    flags.dryRun === true,
    run.signal,
  );
}

/** `approve`: lets MCP servers and annotated Services be published, or not any more. @returns the exit code */
export async function approveCommand(
  services: readonly string[],
  flags: ApproveFlags,
  run: CliContext,
): Promise<number> {
  const names = services.map(serviceOf);
  const settings = await settingsOf(flags, run);
  const approved = flags.revoke !== true;
  const where =
    flags.file === undefined
      ? `${OVERRIDES_KEY} in ConfigMap ${settings.configMapNamespace}/${settings.configMapName}`
      : flags.file === '-'
        ? 'standard input'
        : flags.file;
  const shown =
    flags.file === undefined && approved ? await show(names, flags, run) : new Map<ServiceName, Shown>();
  const wordOf = (name: ServiceName): ApprovalWord =>
    approved && (flags.type ?? shown.get(name)?.kind ?? true);
  const words = new Map<ServiceName, Written>(
    names.map((name) => [name, { approved: wordOf(name), tools: shown.get(name)?.tools }]),
  );
  const edit = (text: string): string => edited(text, words, where);
  const { before, after } =
    flags.file === undefined
      ? await inCluster(settings, edit, flags, run)
      : await inFile(flags.file, edit, flags, run);
  if (flags.dryRun === true && before !== after) printDiff(textDiff(OVERRIDES_KEY, before, after), run);
  const word = approved ? 'approved' : 'no longer approved';
  const listed = [...words].map(([name, { approved: kind }]) =>
    typeof kind === 'string' ? `${displayKey(name)} (as ${kind})` : displayKey(name),
  );
  const are = `${listed.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
  const { messages } = run.output;
  if (before === after) messages.write(`${are} ${word} already in ${where}; nothing was changed.\n`);
  else if (flags.dryRun === true)
    messages.write(
      `${are} not ${approved ? 'approved' : 'revoked'} yet: this would be written to ${where}.\n`,
    );
  else
    messages.write(
      `${are} ${word}: ${where} says so${flags.file === undefined ? ', and serve follows within seconds' : ''}.\n`,
    );
  const open = names.filter((name) => words.get(name)?.approved === true).map(displayKey);
  if (open.length > 0)
    messages.write(
      `${open.join(', ')}: cannot detect the type from here, so any type is approved; use --type mcp to approve only an MCP server.\n`,
    );
  return EXIT.ok;
}

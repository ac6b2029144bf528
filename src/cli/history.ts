import { isDeepStrictEqual } from 'node:util';
import { openCluster } from '../app/pipeline.ts';
import { targetOf } from '../app/target.ts';
import { namesOf, OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError } from '../model/errors.ts';
import type { Revision } from '../model/revision.ts';
import { jsonText } from '../model/visible.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { type Observed, observe, observeRevisions, type ReadRevision } from '../planning/observed.ts';
import type { Format } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf } from './input-flags.ts';
import { table } from './table.ts';
import { columnsOf } from './terminal.ts';
import { yamlText } from './yaml-output.ts';

export interface HistoryFlags extends InputFlags {
  readonly output: Exclude<Format, 'wide' | 'name'>;
  readonly revision?: number;
}

/** Maximum names shown for each kind of change. */
const MAX_NAMES = 2;

/** Formats names behind a sign, such as `+a, +b and 7 more`. Shows all names if there is room. */
function withSign(sign: string, names: readonly string[], hasRoom: boolean): string[] {
  const shown = names.slice(0, hasRoom ? names.length : MAX_NAMES).map((name) => `${sign}${name}`);
  const rest = names.length - shown.length;
  return rest === 0 ? shown : [...shown.slice(0, -1), `${shown.at(-1)} and ${rest} more`];
}

/**
 * Lists what changed since the previous revision: tools that were added (`+`), removed (`-`) or modified (`~`), and other
 * changed documents.
 */
export function changesOf(revision: ReadRevision, before: ReadRevision | undefined): string {
  if (before === undefined) return '';
  const toolsIn = ({ toolset }: ReadRevision) => new Map(toolset.tools.map((tool) => [tool.name, tool]));
  const [now, then] = [toolsIn(revision), toolsIn(before)];
  const came = [...now.keys()].filter((name) => !then.has(name));
  const went = [...then.keys()].filter((name) => !now.has(name));
  const other = [...now.keys()].filter(
    (name) => then.has(name) && !isDeepStrictEqual(now.get(name), then.get(name)),
  );
  const hasRoom = came.length + went.length + other.length <= 2 * MAX_NAMES;
  const tools = [
    withSign('+', came, hasRoom),
    withSign('-', went, hasRoom),
    withSign('~', other, hasRoom),
  ].flat();
  const documents = namesOf(revision.documents).filter(
    (name) => tools.length === 0 && revision.documents[name] !== before.documents[name],
  );
  return [...tools, ...documents, ...(revision.overrides === before.overrides ? [] : [OVERRIDES_KEY])].join(
    ', ',
  );
}

/** The cell in the CHANGES column. */
function shownChanges({ changes, rollbackTo }: ReturnType<typeof rowOf>): string {
  if (rollbackTo === undefined) return changes;
  return `rollback to ${rollbackTo}${changes === '' ? '' : `: ${changes}`}`;
}

function rowOf(revision: ReadRevision, before: ReadRevision | undefined, live: Observed | undefined) {
  const published = live?.toolset?.documents;
  const current =
    published !== undefined &&
    contentHash(published) === contentHash(revision.documents) &&
    live?.data[OVERRIDES_KEY] === revision.overrides;
  return {
    revision: revision.number,
    created: revision.created,
    published: (revision.published ?? revision.created).replace(/\.\d+Z$/, 'Z'),
    tools: revision.toolset.tools.length,
    current,
    changes: changesOf(revision, before),
    ...(revision.rollback === undefined ? {} : { rollbackTo: revision.rollback.to }),
  };
}

/** Says that neither a ConfigMap nor its history exists, and how to choose another. It continues a line. */
export const noSuchTarget = (target: string): string =>
  `there is no ${target}, and no history of it; serve creates both, and --configmap-namespace and --configmap-name choose another`;

/** Finds a revision by its number. @throws UserError that lists the existing numbers */
export function findRevision<R extends Revision>(revisions: readonly R[], number: number): R {
  // Two processes that write at the same time may use the same number. The newer revision wins.
  const found = revisions.findLast((revision) => revision.number === number);
  if (found !== undefined) return found;
  const known = revisions.map((revision) => revision.number).join(', ') || 'none';
  throw new ConfigError(`there is no revision ${number}; there are: ${known}`);
}

/** `history`: lists the published revisions. @returns the exit code */
export async function historyCommand(flags: HistoryFlags, cli: CliContext): Promise<number> {
  const settings = await settingsOf(flags, cli);
  const publisher = targetOf(await openCluster(inputOf(flags, cli)), settings);
  const [listed, published] = await Promise.all([
    publisher.history.list(cli.signal),
    publisher.read(cli.signal),
  ]);
  const revisions = observeRevisions(listed, OUTPUTS);
  const live = observe(published, OUTPUTS);
  const { result, messages } = cli.output;
  const isAbsent = live === undefined && revisions.length === 0;
  if (isAbsent && flags.revision !== undefined) throw new ConfigError(noSuchTarget(publisher.target));
  if (flags.revision !== undefined) {
    const { documents, overrides } = findRevision(revisions, flags.revision);
    const content = { ...documents, ...(overrides === undefined ? {} : { [OVERRIDES_KEY]: overrides }) };
    result.write(flags.output === 'json' ? `${jsonText(content, 2)}\n` : yamlText(content));
    return EXIT.ok;
  }
  const rows = revisions.map((revision, index) => rowOf(revision, revisions[index - 1], live));
  if (flags.output !== 'table') {
    const document = { revisions: rows };
    result.write(flags.output === 'json' ? `${jsonText(document, 2)}\n` : yamlText(document));
    return EXIT.ok;
  }
  if (rows.length === 0) {
    messages.write(
      isAbsent
        ? `note: ${noSuchTarget(publisher.target)}\n`
        : `There is no history of ${publisher.target} yet; serve records what it publishes.\n`,
    );
    return EXIT.ok;
  }
  result.write(
    table(
      [
        ['REVISION', 'PUBLISHED', 'TOOLS', 'CHANGES'],
        ...rows.map((row) => [
          `${row.revision}${row.current ? ' (current)' : ''}`,
          row.published,
          String(row.tools),
          shownChanges(row),
        ]),
      ],
      columnsOf(result, cli.env),
    ),
  );
  return EXIT.ok;
}

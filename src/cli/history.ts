import { openCluster } from '../app/pipeline.ts';
import { targetOf } from '../app/target.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError } from '../model/errors.ts';
import type { Published } from '../model/published.ts';
import { toolNames } from '../model/published-tools.ts';
import type { Revision } from '../model/revision.ts';
import { jsonText } from '../model/visible.ts';
import { contentHash, publishedDocuments } from '../planning/content-hash.ts';
import type { Format } from './choices.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf } from './given.ts';
import type { Invocation } from './invocation.ts';
import { table } from './table.ts';
import { columnsOf } from './terminal.ts';
import { yamlText } from './yaml-output.ts';

export interface HistoryFlags extends InputFlags {
  readonly output: Exclude<Format, 'wide' | 'name'>;
  readonly revision?: number;
}

/** `+2 -1` and names: what came and went from one revision to the next. */
function changesOf(revision: Revision, before: Revision | undefined): string {
  if (before === undefined) return '';
  const names = (each: Revision): string[] => toolNames(each.documents['toolset.json']);
  const [now, then] = [names(revision), names(before)];
  const came = now.filter((name) => !then.includes(name)).map((name) => `+${name}`);
  const went = then.filter((name) => !now.includes(name)).map((name) => `-${name}`);
  const tools = [...came, ...went];
  const shown = tools.length > 4 ? [...tools.slice(0, 3), `and ${tools.length - 3} more`] : tools;
  const other = [
    ...(tools.length === 0 && contentHash(revision.documents) !== contentHash(before.documents)
      ? ['fields of tools']
      : []),
    ...(revision.overrides === before.overrides ? [] : [OVERRIDES_KEY]),
  ];
  return [...shown, ...other].join(', ');
}

function rowOf(revision: Revision, before: Revision | undefined, live: Published | undefined) {
  const published = publishedDocuments(live);
  const current =
    published !== undefined &&
    contentHash(published) === contentHash(revision.documents) &&
    live?.data[OVERRIDES_KEY] === revision.overrides;
  return {
    revision: revision.number,
    created: revision.created,
    published: (revision.published ?? revision.created).replace(/\.\d+Z$/, 'Z'),
    tools: toolNames(revision.documents['toolset.json']).length,
    current,
    changes: changesOf(revision, before),
    ...(revision.rollback === undefined ? {} : { rollbackTo: revision.rollback.to }),
  };
}

/** The revision of a number. @throws UserError that says which there are */
export function revisionNumbered(revisions: readonly Revision[], number: number): Revision {
  // Two processes that wrote at the same moment may have taken one number; the newer one counts.
  const found = revisions.findLast((revision) => revision.number === number);
  if (found !== undefined) return found;
  const known = revisions.map((revision) => revision.number).join(', ') || 'none';
  throw new ConfigError(`there is no revision ${number}; there are: ${known}`);
}

/** `history`: the toolsets that were published and can be returned to. @returns the exit code */
export async function historyCommand(flags: HistoryFlags, run: Invocation): Promise<number> {
  const settings = await settingsOf(flags, run);
  const publisher = targetOf(await openCluster(inputOf(flags, run)), settings);
  const [revisions, live] = await Promise.all([
    publisher.history.list(run.signal),
    publisher.read(run.signal),
  ]);
  const { result, messages } = run.output;
  if (flags.revision !== undefined) {
    const { documents, overrides } = revisionNumbered(revisions, flags.revision);
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
    messages.write(`There is no history of ${publisher.target} yet; serve records what it publishes.\n`);
    return EXIT.ok;
  }
  result.write(
    table(
      [
        ['REVISION', 'PUBLISHED', 'TOOLS', 'CHANGES'],
        ...rows.map(({ revision, published, tools, changes, current, rollbackTo }) => [
          `${revision}${current ? ' (current)' : ''}`,
          published,
          String(tools),
          rollbackTo === undefined ? changes : `rollback to ${rollbackTo}: ${changes}`,
        ]),
      ],
      columnsOf(result, run.env),
    ),
  );
  return EXIT.ok;
}

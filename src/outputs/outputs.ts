import type { Mappings } from '../model/detector.ts';
import type { Problem, Verdict } from '../model/discovery.ts';
import {
  type Documents,
  namesOf,
  partsOf,
  sameDocuments,
  shardOf,
  type Toolset,
  toolsetOf,
} from '../model/documents.ts';
import type { Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { LARGE } from '../model/yaml-document.ts';
import type { InForce, Output, Questions } from './output.ts';
import type { Standing } from './standing.ts';

/** The names of the documents that do not contain a published tool. */
export type LeftOutOf = (tool: PublishedTool, mappings?: Mappings) => readonly string[];

/** The outputs of one target: their documents are published together. */
export interface Outputs<Settings = unknown> {
  readonly all: readonly Output<Settings>[];
  /** Names of their documents. */
  readonly names: readonly string[];
  /** Names of those that can be divided among several ConfigMaps. */
  readonly divisible: readonly string[];
  /** Whether the tools can be read from the documents. */
  readonly readsBack: boolean;
  /** Documents with the tools in them, which are read when they are first needed. */
  read(documents: Documents): Toolset;
  /**
   * What is wrong with documents, for example as they were read back: the first faults of each with document, line and
   * column. None if agents can use them. Never throws for what the documents hold.
   */
  faultsOf(documents: Documents): readonly string[];
  /** The documents with all parts of those that are divided put together. @throws Error if a part cannot be read */
  whole(documents: Documents): Documents;
  /**
   * The entries with which agents would run tools without asking, although they ask before them now, or although it is
   * unknown which tools these are.
   */
  loosened(standing: Standing, next: Toolset): readonly Problem[];
  /** The names of entries that agents would use, and that their parts of overrides switch off or remove. */
  switchedOn(next: Toolset, overrides: Overrides): readonly string[];
  /**
   * The entries with which agents would send credentials to a place in the cluster to which neither toolset sends them.
   * @param published what the inputs produced last
   * @param generated what the settings and overrides of now produce for the same Services
   */
  unpaired(next: Toolset, published: Toolset, generated: () => Toolset): readonly Problem[];
  /** Why an agent asks before each tool of an MCP server, also before those that the server declares read-only. */
  whyAsksBeforeEach(key: string, verdict: Verdict, overrides: Overrides): string | undefined;
  /** Before which tools of an MCP server an agent asks; `undefined` if no agent does. */
  questionsOf(
    key: string,
    verdict: Verdict,
    overrides: Overrides,
    lists: InForce['lists'],
  ): Questions | undefined;
  /**
   * The names of the published documents that do not contain a tool, read from the documents themselves. They are parsed on
   * first use. The result's `mappings` are those of the tool's detector, if they are known.
   */
  leftOutOf(toolset: Toolset): LeftOutOf;
  /** Whether what they render depends on what is published. */
  usesPublished(settings: Settings): boolean;
}

/** Most faults that are listed for one document. */
const SHOWN = 5;

/** How many toolsets are remembered: what is published, and what was before. */
const REMEMBERED = 2;

/**
 * Remembers the last toolsets that are still in use, so that large documents that are read repeatedly are parsed, and kept in
 * memory, only once.
 */
function remembering(read: (documents: Documents) => Toolset): (documents: Documents) => Toolset {
  let last: readonly WeakRef<Toolset>[] = [];
  return (documents) => {
    const known = last.flatMap((each) => each.deref() ?? []);
    const toolset = known.find((each) => sameDocuments(each.documents, documents)) ?? read(documents);
    const others = known.filter((each) => each !== toolset);
    last = [toolset, ...others].slice(0, REMEMBERED).map((each) => new WeakRef(each));
    return toolset;
  };
}

/** @param all in the order in which they are rendered */
export function outputsOf<Settings>(all: readonly Output<Settings>[]): Outputs<Settings> {
  const types = all.flatMap(({ documents }) => documents);
  const reader = all.find(({ readBack }) => readBack !== undefined);
  return {
    all,
    names: types.map(({ name }) => name),
    divisible: all
      .filter(({ division }) => division !== undefined)
      .flatMap(({ documents }) => documents.map(({ name }) => name)),
    readsBack: reader !== undefined,
    read: remembering((documents) => toolsetOf(documents, () => reader?.readBack?.(documents) ?? [])),
    faultsOf: (documents) =>
      types.flatMap(({ name, check }) => {
        if (documents[name] === undefined) return [`${name} is missing`];
        return partsOf(documents, name).flatMap(([part, text]) =>
          check(text, LARGE)
            .faults.filter(({ level }) => level === 'fault')
            .slice(0, SHOWN)
            .map(({ line, column, message }) => `${part}, line ${line}, column ${column}: ${message}`),
        );
      }),
    whole: (documents) =>
      Object.fromEntries(
        namesOf(documents)
          .filter((name) => shardOf(name).shard === 1)
          .map((name) => {
            const texts = partsOf(documents, name).map(([, text]) => text);
            const division = all.find((output) =>
              output.documents.some((type) => type.name === name),
            )?.division;
            return [
              name,
              texts.length > 1 && division !== undefined ? division.join(texts) : (texts[0] ?? ''),
            ];
          }),
      ),
    loosened: (...how) => all.flatMap((output) => output.loosened?.(...how) ?? []),
    switchedOn: (...how) => all.flatMap((output) => output.switchedOn?.(...how) ?? []),
    unpaired: (...how) => all.flatMap((output) => output.unpaired?.(...how) ?? []),
    whyAsksBeforeEach: (...server) =>
      all.map((output) => output.whyAsksBeforeEach?.(...server)).find((why) => why !== undefined),
    questionsOf: (...server) =>
      all.map((output) => output.questionsOf?.(...server)).find((questions) => questions !== undefined),
    leftOutOf(toolset) {
      const names = new Set(namesOf(toolset.documents).map((name) => shardOf(name).document));
      const checks = all.map(({ documents, contains }) => ({
        published: documents.flatMap(({ name }) => (names.has(name) ? [name] : [])),
        contains: contains?.(toolset) ?? (() => true),
      }));
      return (...tool) => checks.flatMap(({ published, contains }) => (contains(...tool) ? [] : published));
    },
    usesPublished: (settings) => all.some((output) => output.usesPublished?.(settings) === true),
  };
}

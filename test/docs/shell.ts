/** The commands of a shell block: what they are, and which of them a test can run. */
import { type CommandArgument, forEachChild, parse, type Redirection, type SyntaxNode } from 'unbash';
import { type Block, isShell } from './blocks.ts';

/** Commands that tests run, on the test API server where they need a cluster. */
const RUN = [
  'dynamic-toolset',
  'kubectl',
  'jq',
  'cat',
  'cd',
  'cp',
  'echo',
  'export',
  'grep',
  'head',
  'mkdir',
];

/** Commands that no test of the documentation runs, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  npm: 'installs, or runs what has a test of its own; that the script is there is checked',
  npx: 'runs tests',
  git: 'fetches from a network',
  docker: 'needs a container engine',
  kind: 'needs a container engine',
  go: 'builds what the tests of the control plane build',
  helm: 'the chart has tests of its own, by which it is rendered and applied',
  curl: 'needs something that listens',
  source: "changes a person's shell",
};

/** What a shell block has a person type: of a console block the lines with a prompt. */
export function typed(block: Block): string {
  if (block.language !== 'console') return block.text;
  const lines = block.text.split('\n');
  const isTyped = (index: number): boolean =>
    lines[index]?.startsWith('$ ') === true ||
    (index > 0 && lines[index - 1]?.endsWith('\\') === true && isTyped(index - 1));
  return lines
    .filter((_, index) => isTyped(index))
    .map((line) => line.replace(/^\$ /, ''))
    .join('\n');
}

/** The lines that a page shows as the output of a shell block; one with an ellipsis is not taken at its word. */
export function shownOutput(block: Block): string[] {
  const typedLines = typed(block).split('\n');
  const inside = block.language === 'console' ? block.text.split('\n') : [];
  return [...inside.filter((line) => !typedLines.includes(line.replace(/^\$ /, ''))), ...block.output]
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.includes('…'));
}

const wordOf = (part: CommandArgument | Redirection): string[] => {
  if (part.type === 'Word') return [part.value];
  return part.type === 'Assignment' ? [part.text] : [];
};

/** A command and its words. Those that a checkout and kubectl give the program are the program's own. */
export function commandsIn(script: string): string[][] {
  const commands: string[][] = [];
  const walk = (node: SyntaxNode): void => {
    if (node.type === 'Command' && node.name !== undefined)
      commands.push(programWords([node.name, ...node.suffix].flatMap(wordOf)));
    forEachChild(node, walk);
  };
  const parsed = parse(script);
  if (parsed.errors !== undefined) throw new Error(`${parsed.errors[0]?.message} in ${script}`);
  walk(parsed);
  return commands;
}

const SPELLINGS = ['npm run -s dynamic-toolset --', 'npm run dynamic-toolset --', 'kubectl toolset'];

function programWords(words: readonly string[]): string[] {
  for (const spelling of SPELLINGS) {
    const start = spelling.split(' ');
    if (start.every((word, index) => words[index] === word))
      return ['dynamic-toolset', ...words.slice(start.length)];
  }
  return [...words];
}

/** What becomes of a shell block: a test runs it, or a reason says why none does. */
export type Treatment = { readonly run: true } | { readonly run: false; readonly why: string };

/** @throws Error if nothing says why a block cannot be run */
export function treatmentOf(block: Block): Treatment {
  if (!isShell(block)) return { run: false, why: 'is no shell block' };
  const names = commandsIn(typed(block)).map(([name = '']) => name);
  if (block.needs !== undefined) return { run: false, why: `needs ${block.needs}` };
  if (names.every((name) => RUN.includes(name))) return { run: true };
  const stranger = names.find((name) => !RUN.includes(name) && NOT_RUN[name] === undefined);
  if (stranger !== undefined)
    throw new Error(`nobody knows ${stranger}: say above the block what it needs, <!-- needs: … -->`);
  const reasons = names.map((name) => NOT_RUN[name]);
  if (reasons.includes(undefined))
    throw new Error(
      `some of ${names.join(', ')} can be run here and some not: divide the block, or say what it needs`,
    );
  return { run: false, why: [...new Set(reasons)].join('; ') };
}

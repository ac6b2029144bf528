import { visit } from 'unist-util-visit';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { markdownFiles, parseMarkdown } from '../../scripts/markdown.ts';
import { SETTINGS } from '../../src/config/setting-table.ts';
import { type Block, blocksOf, isShell } from './blocks.ts';
import { usageFault } from './program.ts';
import { commandsIn, shownOutput, treatmentOf, typed } from './shell.ts';
import { documentsOf, variablesIn } from './yaml.ts';

const files = markdownFiles();
const shellBlocks = files.flatMap(blocksOf).filter(isShell);

/** Inline code of a page. A trailing ellipsis stands for more words. */
function inlineCode(file: string): string[] {
  const found: string[] = [];
  visit(parseMarkdown(file), 'inlineCode', ({ value }) => void found.push(value.replace(/ …$/, '')));
  return found;
}

/** Whether words are a pattern of a command and none to type: `help [COMMAND]`. */
const isPattern = (words: readonly string[]): boolean => words.some((word) => /^[[<A-Z]|^-$/.test(word));

describe('each shell block', () => {
  it.each(shellBlocks.map((block) => [`${block.file}:${block.line}`, block] as const))(
    'of %s is run by a test or has the reason why not, and uses existing commands and flags',
    async (_, block) => {
      expect(treatmentOf(block)).toBeDefined();
      for (const [name, ...words] of commandsIn(typed(block))) {
        if (name === 'dynamic-toolset') expect(await usageFault(words), words.join(' ')).toBeUndefined();
        if (name === 'npm' && words[0] === 'run')
          expect(Object.keys(packageJson.scripts)).toContain(
            words.find((word, at) => at > 0 && word[0] !== '-'),
          );
      }
    },
  );
});

it.each(files)('commands in the text of %s exist, with their flags', async (file) => {
  for (const code of inlineCode(file)) {
    if (!/^(npm run( -s)? |dynamic-toolset |kubectl toolset )/.test(code)) continue;
    const [[name, ...words] = []] = commandsIn(code);
    if (name === 'dynamic-toolset' && !isPattern(words.slice(0, 1)))
      expect(await usageFault(words), code).toBeUndefined();
    if (name === 'npm')
      expect(Object.keys(packageJson.scripts), code).toContain(
        words.find((word, at) => at > 0 && word[0] !== '-'),
      );
  }
});

/** Environment variables of others, which the documentation names. */
const OF_OTHERS = [
  'NO_COLOR',
  'TERM',
  'KUBEBUILDER_ASSETS',
  'CUSTOM_TOOLSET_LOCATION',
  'MALLOC_ARENA_MAX',
  'MALLOC_MMAP_THRESHOLD_',
  'MALLOC_TRIM_THRESHOLD_',
  'ENABLE_ADMIN_API',
  'TEST_SCALE',
];
const OURS = ['CONFIG_FILE', 'DETECTORS', 'KUBECONFIG', 'HOLMESGPT_API_KEY', 'POD_NAME', 'POD_NAMESPACE'];
const KNOWN = [...Object.values(SETTINGS).map(({ env }) => env), ...OURS, ...OF_OTHERS];
const isKnown = (name: string): boolean => KNOWN.includes(name) || /^ENABLE_[A-Z]+$/.test(name);

it.each(files)('environment variables that %s sets exist', (file) => {
  const inText = inlineCode(file).flatMap((code) => /^([A-Z][A-Z0-9_]+)=/.exec(code)?.[1] ?? []);
  const inYaml = blocksOf(file)
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ text }) => documentsOf(text).flatMap(variablesIn));
  expect([...inText, ...inYaml].filter((name) => !isKnown(name))).toEqual([]);
});

describe('handling of a block', () => {
  const block = (text: string, more: Partial<Block> = {}): Block => ({
    file: 'page.md',
    line: 1,
    language: 'sh',
    text,
    output: [],
    ...more,
  });

  it.each([
    ['npm run -s dynamic-toolset -- discover -A', { run: true }],
    ['kubectl toolset discover | jq .', { run: true }],
    ['git clone https://example.com/x', { run: false, why: 'fetches from a network' }],
  ])('%s', (text, expected) => {
    expect(treatmentOf(block(text))).toEqual(expected);
  });

  it('a comment explains why it is not run', () => {
    expect(treatmentOf(block('frobnicate', { needs: 'a frob' }))).toEqual({
      run: false,
      why: 'needs a frob',
    });
  });

  it.each(['frobnicate', 'git clone x && dynamic-toolset discover', 'echo $(frobnicate)'])(
    '%s is rejected',
    (text) => {
      expect(() => treatmentOf(block(text))).toThrow(/needs|nobody knows/);
    },
  );

  it('in a console block, lines with a prompt are run, and the others are output', () => {
    const shown = block('$ dynamic-toolset \\\n  version\n0.1.0\nmore …', { language: 'console' });
    expect(typed(shown)).toBe('dynamic-toolset \\\n  version');
    expect(shownOutput(shown)).toEqual(['0.1.0']);
  });

  it.each([
    [['discover', '--no-such-flag'], "error: unknown option '--no-such-flag'"],
    [['discover', '-o', 'xml'], expect.stringContaining('xml')],
    [['discover', '-o', 'json'], undefined],
  ])('%j: %s', async (words, expected) => {
    expect(await usageFault(words)).toEqual(expected);
  });
});

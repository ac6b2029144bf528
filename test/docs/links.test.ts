import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import GithubSlugger from 'github-slugger';
import type { Root } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { describe, expect, it } from 'vitest';
import { chapters } from '../../scripts/documentation-index.ts';
import { markdownFiles, parseMarkdown, repository } from '../../scripts/markdown.ts';

const files = markdownFiles();
const trees = new Map(files.map((file) => [file, parseMarkdown(file)]));

/** Where the links and pictures of a page lead, those in HTML too. */
function targetsOf(tree: Root): { url: string; line: number }[] {
  const targets: { url: string; line: number }[] = [];
  visit(tree, (node) => {
    const line = node.position?.start.line ?? 0;
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition')
      targets.push({ url: node.url, line });
    if (node.type === 'html')
      for (const [, url = ''] of node.value.matchAll(/(?:href|src|srcset)="([^"]*)"/g))
        targets.push({ url, line });
  });
  return targets;
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(tree: Root): Set<string> {
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  visit(tree, 'heading', (heading) => void anchors.add(slugger.slug(textOf(heading))));
  return anchors;
}

/** What is wrong with a link of a file; nothing if it leads somewhere. */
function fault(file: string, url: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(url))
    return URL.canParse(url) && url.startsWith('https://') ? undefined : 'is no https address';
  const [path = '', anchor] = url.split('#');
  const target = path === '' ? file : join(dirname(file), decodeURI(path));
  if (path.startsWith('/') || target.startsWith('..')) return 'leads out of the repository';
  const place = join(repository, target);
  if (!existsSync(place)) return `leads to ${target}, which is not there`;
  if (anchor === undefined) return undefined;
  const page = statSync(place).isDirectory() ? join(target, 'README.md') : target;
  const tree = trees.get(page);
  if (tree === undefined) return `names a heading of ${target}, which has none`;
  return anchorsOf(tree).has(anchor) ? undefined : `names a heading that ${page} does not have`;
}

describe('links', () => {
  it.each(files)('of %s have targets', (file) => {
    const faults = targetsOf(trees.get(file) ?? parseMarkdown(file)).flatMap(({ url, line }) => {
      const why = fault(file, url);
      return why === undefined ? [] : [`${file}:${line}: ${url} ${why}`];
    });
    expect(faults).toEqual([]);
  });

  it.each([
    ['docs/api.md', 'metrics.md', undefined],
    ['docs/api.md', 'https://example.com/', undefined],
    ['docs/api.md', 'http://example.com/', 'is no https address'],
    ['docs/api.md', 'missing.md', 'leads to docs/missing.md, which is not there'],
    ['docs/api.md', '../../outside.md', 'leads out of the repository'],
    ['docs/api.md', '/docs/metrics.md', 'leads out of the repository'],
    ['README.md', 'docs/api.md#the-api', undefined],
    ['README.md', 'docs/api.md#nothing', 'names a heading that docs/api.md does not have'],
    ['README.md', 'LICENSE#top', 'names a heading of LICENSE, which has none'],
  ])('in %s, %s: %s', (file, url, expected) => {
    expect(fault(file, url)).toBe(expected);
  });
});

it('each page of the documentation is in its table of contents', () => {
  const listed = chapters().flatMap(({ pages }) => pages.map(({ file }) => file));
  const pages = files.filter((file) => /^docs\/[^/]+\.md$/.test(file) && file !== 'docs/README.md');
  expect(pages.filter((page) => !listed.includes(page))).toEqual([]);
});

it('each decision is in their table of contents', () => {
  const listed = targetsOf(parseMarkdown('docs/decisions/README.md')).map(
    ({ url }) => `docs/decisions/${url}`,
  );
  expect(files.filter((file) => /^docs\/decisions\/\d/.test(file))).toEqual(listed);
});

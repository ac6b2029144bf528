/** Markdown files of this repository as syntax trees. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Root } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

const parser = unified().use(remarkParse).use(remarkGfm);
const NOT_OURS = ['**/node_modules/**', 'demo-output/**', 'dist/**', 'site/**', 'test/fixtures/**'];

/** The folder of the repository. */
export const repository = join(import.meta.dirname, '..');

/** All Markdown files that people read. Files are relative to the repository. */
export const markdownFiles = (): string[] =>
  globSync(['*.md', '{bench,deploy,docs,test}/**/*.md'], { cwd: repository, exclude: NOT_OURS }).sort();

/** Reads a Markdown file. */
export const parseMarkdown = (file: string): Root =>
  parser.parse(readFileSync(join(repository, file), 'utf8'));

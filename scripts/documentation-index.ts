/** The table of contents of the documentation, as `docs/README.md` has it. */
import { join } from 'node:path/posix';
import { toString as textOf } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { parseMarkdown } from './markdown.ts';

/** Pages that belong together. Files are relative to the repository. */
export interface Chapter {
  readonly title: string;
  readonly pages: readonly { readonly title: string; readonly file: string }[];
}

/** Each heading of the second level starts a chapter; the first link of a list item under it is a page. */
export function chapters(): Chapter[] {
  const found: { title: string; pages: { title: string; file: string }[] }[] = [];
  for (const node of parseMarkdown('docs/README.md').children) {
    if (node.type === 'heading' && node.depth === 2) found.push({ title: textOf(node), pages: [] });
    if (node.type !== 'list') continue;
    for (const item of node.children)
      visit(item, 'link', (link) => {
        found.at(-1)?.pages.push({ title: textOf(link), file: join('docs', link.url) });
        return false;
      });
  }
  return found;
}

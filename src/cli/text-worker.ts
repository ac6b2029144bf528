/** The worker thread of `TextThread`: reads texts of others, one at a time. */
import { parentPort } from 'node:worker_threads';
import { checkText, type DocumentKind } from '../generate/check-text.ts';
import { SMALL } from '../model/yaml-document.ts';
import { readOverrides } from '../reconcile/overrides.ts';

/** A text, and what it is to be checked or read as. */
export type TextQuestion = { readonly kind: DocumentKind | 'read-overrides'; readonly text: string };

parentPort?.on('message', ({ kind, text }: TextQuestion) => {
  parentPort?.postMessage(kind === 'read-overrides' ? readOverrides(text) : checkText(kind, text, SMALL));
});

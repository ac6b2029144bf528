/** The worker thread of `TextChecks`: reads texts of others, one at a time. */
import { parentPort } from 'node:worker_threads';
import { checkText, type DocumentKind } from '../generate/check-text.ts';
import { SMALL } from '../model/yaml-document.ts';

export interface TextQuestion {
  readonly kind: DocumentKind;
  readonly text: string;
}

parentPort?.on('message', ({ kind, text }: TextQuestion) => {
  parentPort?.postMessage(checkText(kind, text, SMALL));
});

/** The worker thread of `TextThread`: reads texts of others and generates documents, one question at a time. */
import { parentPort } from 'node:worker_threads';
import { checkText, type DocumentKind } from '../generate/check-text.ts';
import { SMALL } from '../model/yaml-document.ts';
import { readOverrides } from '../reconcile/overrides.ts';
import { type GenerateQuestion, generateApart } from './generate-apart.ts';

/** A text, and what it is to be checked or read as; or what to generate documents from. */
export type TextQuestion =
  | { readonly kind: DocumentKind | 'read-overrides'; readonly text: string }
  | GenerateQuestion;

function answer(question: TextQuestion): unknown {
  if (question.kind === 'generate') return generateApart(question);
  const { kind, text } = question;
  return kind === 'read-overrides' ? readOverrides(text) : checkText(kind, text, SMALL);
}

parentPort?.on('message', (question: TextQuestion) => parentPort?.postMessage(answer(question)));

/** The worker thread of `TextThread`: reads texts of others and generates documents, one question at a time. */
import { parentPort } from 'node:worker_threads';
import { SMALL } from '../model/yaml-document.ts';
import { checkText, type DocumentKind } from '../outputs/check-text.ts';
import { readOverrides } from '../planning/overrides.ts';
import { type GenerateQuestion, generateApart } from './generate-apart.ts';
import { type MergeQuestion, mergeHere } from './holmes-merge.ts';

/** A text, and what it is to be checked or read as; or what to generate documents or HolmesGPT's file from. */
export type TextQuestion =
  | { readonly kind: DocumentKind | 'read-overrides'; readonly text: string }
  | GenerateQuestion
  | MergeQuestion;

function answer(question: TextQuestion): unknown {
  if (question.kind === 'generate') return generateApart(question);
  if (question.kind === 'merge-for-agent') return mergeHere(question);
  const { kind, text } = question;
  return kind === 'read-overrides' ? readOverrides(text) : checkText(kind, text, SMALL);
}

parentPort?.on('message', (question: TextQuestion) => parentPort?.postMessage(answer(question)));

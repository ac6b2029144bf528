/** The worker thread of `TextThread`: reads texts of others and generates documents, one question at a time. */
import { parentPort } from 'node:worker_threads';
import { SMALL } from '../model/yaml-document.ts';
import { checkText } from '../outputs/check-text.ts';
import { type MergeQuestion, mergeHere } from '../outputs/holmesgpt/merge-question.ts';
import { readOverrides } from '../planning/overrides.ts';
import { type GenerateQuestion, generateApart } from './generate-apart.ts';

/** A text, and its format, which is the id of an output or `overrides`; or what to generate documents or HolmesGPT's file from. */
export type TextQuestion =
  | { readonly kind: 'check'; readonly format: string; readonly text: string }
  | { readonly kind: 'read-overrides'; readonly text: string }
  | GenerateQuestion
  | MergeQuestion;

function answer(question: TextQuestion): unknown {
  if (question.kind === 'generate') return generateApart(question);
  if (question.kind === 'merge-for-agent') return mergeHere(question);
  const { text } = question;
  return question.kind === 'read-overrides' ? readOverrides(text) : checkText(question.format, text, SMALL);
}

parentPort?.on('message', (question: TextQuestion) => parentPort?.postMessage(answer(question)));

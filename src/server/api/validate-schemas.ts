import * as z from 'zod';
import { OUTPUT_IDS } from '../../model/output-ids.ts';

const DOCUMENT_KINDS = [...OUTPUT_IDS, 'overrides'] as const;

export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const validateBody = z.strictObject({
  kind: z
    .enum(DOCUMENT_KINDS)
    .describe('The output that the document is for, or overrides for overrides.yaml.'),
  content: z
    .string()
    .max(256 * 1024)
    .describe('Text of the document.'),
});

export const validateAnswer = z.object({
  valid: z.boolean().describe('true if there are no errors; warnings do not count.'),
  more: z.int().describe('Number of errors and warnings beyond the 50 that are listed.'),
  errors: z.array(
    z.object({
      pointer: z.string().describe('JSON Pointer into the document.'),
      line: z.int(),
      column: z.int(),
      detail: z.string(),
      level: z.enum(['error', 'warning']),
    }),
  ),
});

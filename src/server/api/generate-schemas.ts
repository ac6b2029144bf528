import * as z from 'zod';
import { KNOWN_TYPE, name, namespace, note } from '../schema-parts.ts';

export const generateBody = z.strictObject({
  services: z
    .array(
      z.strictObject({
        name: namespace.describe('Name of the Service.'),
        namespace,
        type: name.describe(KNOWN_TYPE),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(2000)
          .describe('HTTP or HTTPS URL of the backend.'),
      }),
    )
    .max(1_000)
    .optional()
    .describe('The services to generate documents for; the discovered ones by default.'),
});

export const generateAnswer = z.object({
  tools: z.int(),
  documents: z.record(z.string(), z.string()).describe('Text of each document, by document name.'),
  notes: z.array(note).describe('What the documents leave out, and why.'),
  waiting: z.array(z.string()).describe('NAMESPACE/NAME of each Service that waits for approval.'),
});

/** The response with generated documents. */
export type GenerateAnswer = z.infer<typeof generateAnswer>;
export type GenerateBody = z.infer<typeof generateBody>;
export type GenerateService = NonNullable<GenerateBody['services']>[number];

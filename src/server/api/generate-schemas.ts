import * as z from 'zod';
import { KNOWN_TYPE, name, namespace, note } from '../schema-parts.ts';

export const generateBody = z.strictObject({
  services: z
    .array(
      z.strictObject({
        name: namespace.describe('name of the Service'),
        namespace,
        type: name.describe(KNOWN_TYPE),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(2000)
          .describe('its http or https URL'),
      }),
    )
    .max(1_000)
    .optional()
    .describe('by default, the services that are known now'),
});

export const generateAnswer = z.object({
  tools: z.int(),
  documents: z.record(z.string(), z.string()).describe('the text of each document, by name'),
  notes: z.array(note).describe('what was left out, and why'),
  waiting: z.array(z.string()).describe('NAMESPACE/NAME of the Services that wait for approval'),
});

export type GenerateBody = z.infer<typeof generateBody>;
export type GenerateService = NonNullable<GenerateBody['services']>[number];

import * as z from 'zod';

const pattern = z.string().min(1);

/** What an operator may set for one detector. */
export const detectorOptions = z.strictObject({
  enabled: z.boolean().default(true),
  /** Where several detectors claim a Service, the higher number wins, before all other reasons. */
  priority: z.number().int().min(-1000).max(1000).default(0),
  /** Namespaces in which it looks; `*` stands for any run of characters. */
  namespaces: z.array(pattern).min(1).optional(),
  excludeNamespaces: z.array(pattern).default([]),
  /** Annotations that a Service must have: key to value, where `*` is any. */
  requiredAnnotations: z.record(z.string().min(1), pattern).default({}),
  /** Whether all required annotations must be there, or any of them. */
  require: z.enum(['all', 'any']).default('all'),
  /** Path for the question for health, in place of the detector's. */
  healthPath: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'is not a path: it starts with / and has no spaces')
    .optional(),
});

/** Options of detectors by type. */
export const detectorsOptions = z.record(z.string().min(1), detectorOptions);

export type DetectorOptions = z.infer<typeof detectorOptions>;
export type DetectorsOptions = z.infer<typeof detectorsOptions>;

import * as z from 'zod';

const pattern = z.string().min(1);
const namespacePattern = z
  .string()
  .regex(
    /^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$/,
    'is not a namespace; write its name in lower case, with * for any characters',
  );

const path = z.string().regex(/^\/[\x21-\x7e]*$/, 'is not a path: it starts with / and has no spaces');

/** The options of one detector. */
export const detectorOptions = z.strictObject({
  enabled: z.boolean().default(true),
  /** If several detectors match a Service, the highest priority wins. */
  priority: z.number().int().min(-1000).max(1000).default(0),
  /** Namespaces that it searches; `*` matches any characters. */
  namespaces: z.array(namespacePattern).min(1).optional(),
  excludeNamespaces: z.array(namespacePattern).default([]),
  /** Annotations that a Service must have. The value `*` matches any value. */
  requiredAnnotations: z.record(z.string().min(1), pattern).default({}),
  /** Whether all required annotations must match, or any of them. */
  require: z.enum(['all', 'any']).default('all'),
  /** Health path, instead of the detector's. */
  healthPath: path.optional(),
  /** Base paths of the API by Service, `NAMESPACE/NAME`, or `*` for all others. */
  paths: z
    .record(
      z.string().regex(/^(\*|[^/\s]+\/[^/\s]+)$/, 'is not a Service; write NAMESPACE/NAME, or "*" for all'),
      path,
    )
    .default({}),
});

/** Options of detectors by type. */
export const detectorsOptions = z.record(z.string().min(1), detectorOptions);

export type DetectorOptions = z.infer<typeof detectorOptions>;
export type DetectorsOptions = z.infer<typeof detectorsOptions>;

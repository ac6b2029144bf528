import * as z from 'zod';

/** HolmesGPT refuses a file in which any mapping key holds a dot (seen with 0.45.0: "keypath separator"). */
export const holmesKey = z
  .string()
  .regex(/^[^.]+$/, 'holds a dot, which HolmesGPT refuses in any key')
  .refine((key) => key !== '__proto__', 'is not a key that anybody needs');

/** A value in a YAML document; `null` takes away what was generated. */
const holmesValue: z.ZodType<unknown> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(holmesValue),
    z.record(holmesKey, holmesValue),
  ]),
);
const entries = z.record(holmesKey, z.union([z.record(holmesKey, holmesValue), z.null()]));

/** `NAMESPACE/SERVICE`, `NAMESPACE/*`, `*`, or the name of a tool of one's own. */
const backendKey = z
  .string()
  .regex(
    /^(\*|[a-z0-9-]+\/(\*|[a-z0-9-]+)|[^./*]+)$/,
    'names no backend: write NAMESPACE/SERVICE, or NAMESPACE/* for all of a namespace',
  );
const toolset = z
  .record(holmesKey, holmesValue)
  .and(z.object({ backends: z.record(backendKey, z.record(holmesKey, holmesValue)).optional() }));

const toolOverride = z.strictObject({
  /** `false` leaves the tool out. */
  enabled: z.boolean().optional(),
  /** `true`: a person trusts the MCP server or annotated Service; `false`: it waits, whatever its namespace. */
  approved: z.boolean().optional(),
  type: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      'is not a type: lower-case letters, digits and hyphens, at most 63',
    )
    .optional(),
  endpoint: z
    .url({ protocol: /^(https?|tcp)$/, error: 'is not an http, https or tcp URL', abort: true })
    .refine((text) => {
      const { username, password, search, hash } = new URL(text);
      return username === '' && password === '' && search === '' && hash === '';
    }, 'has credentials, a query or a fragment, which do not belong in an endpoint')
    .refine((text) => !text.startsWith('tcp:') || new URL(text).port !== '', 'has no port')
    .optional(),
  description: z.string().min(1).max(500).optional(),
  namespace: z.string().min(1).max(63).optional(),
  metadata: z.record(z.string().min(1), z.string()).optional(),
});

const overrides = z.strictObject({
  /** By the tool's name: fields that change it, or a whole tool of the user's own. */
  tools: z.record(z.string().min(1).max(253), toolOverride).default({}),
  /** Merged into `custom_toolset.yaml`: mappings are merged, all else is replaced, `null` takes away. */
  holmesgpt: z
    .strictObject({
      /** `backends` in an entry holds what only discovered backends that are named get. */
      toolsets: z.record(holmesKey, z.union([toolset, z.null()])).optional(),
      mcp_servers: entries.optional(),
    })
    .default({}),
});

/** The schema of `overrides.yaml`: what people change of the generated tools, and add to them; nothing at all is fine. */
export const overridesSchema = z.preprocess((content) => content ?? {}, overrides);

export type Overrides = z.infer<typeof overrides>;
export type ToolOverride = z.infer<typeof toolOverride>;

/** No overrides at all. */
export const NO_OVERRIDES: Overrides = { tools: {}, holmesgpt: {} };

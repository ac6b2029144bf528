import * as z from 'zod';
import type { MappingRules, Mappings } from '../../model/detector.ts';

/** What a built-in toolset calls each kind of credential; a kind that is not there, it does not take. */
const auth = z.strictObject({
  apiKey: z.string().optional(),
  bearerToken: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  headers: z.string().optional(),
});

const entry = z.union([
  z.strictObject({
    /** Built-in toolsets of the agent that this backend configures. */
    toolsets: z.array(z.string().min(1)).min(1),
    /** Fields of one backend; `{endpoint}`, `{authority}` and `{tool}` are replaced in its texts. */
    config: z.record(z.string(), z.string()),
    /** The key of the list that holds the backends, and the field that names one in it. */
    list: z.string().default('instances'),
    nameField: z.string().default('name'),
    /** `required`: the agent's own check fails without credentials. */
    credentials: z.enum(['optional', 'required']).default('optional'),
    auth: auth.default({}),
  }),
  z.strictObject({
    http: z.strictObject({
      /** GET requests to these paths are allowed, below the base path; `*` stands for any run. */
      paths: z.array(z.string().regex(/^[/*]/)).min(1),
      instructions: z.string().min(1).max(1200),
    }),
  }),
  z.strictObject({ mcp: z.strictObject({}) }),
  z.strictObject({ none: z.string().min(1) }),
]);

/** How a backend appears in HolmesGPT's configuration. */
export type HolmesEntry = z.infer<typeof entry>;
export type HolmesAuth = z.infer<typeof auth>;

/** This output's id: the key of its part in detector files and overrides. */
export const HOLMESGPT = 'holmesgpt';

/** `outputs.holmesgpt` of a detector file; release 0.1 called it `holmes`. */
export const holmesMapping: MappingRules = {
  schema: entry,
  isMcp: (mapping) => 'mcp' in (mapping as HolmesEntry),
  formerKey: 'holmes',
};

const NO_ENTRY: HolmesEntry = { none: 'the agent has no entry for tools of this type' };

/** How a tool appears in HolmesGPT's configuration; its detector has been checked against the schema. */
export const entryOf = ({ mappings }: { readonly mappings: Mappings }): HolmesEntry =>
  (mappings[HOLMESGPT] as HolmesEntry | undefined) ?? NO_ENTRY;

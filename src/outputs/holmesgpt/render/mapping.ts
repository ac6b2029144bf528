import * as z from 'zod';
import type { MappingRules, Mappings } from '../../../model/detector.ts';
import { isKnownName, meantToolset } from '../contract/known-toolsets.ts';
import { HOLMES } from '../contract/models.ts';

/** The toolset's field for each kind of credential. A missing field means that the toolset does not support that kind. */
const auth = z.strictObject({
  apiKey: z.string().optional(),
  bearerToken: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  headers: z.string().optional(),
});

const entry = z.union([
  z.strictObject({
    /** Built-in toolsets of the agent that use this backend. */
    toolsets: z.array(z.string().min(1)).min(1),
    /** Fields of one backend. `{endpoint}`, `{authority}` and `{tool}` are placeholders. */
    config: z.record(z.string(), z.string()),
    /** The key of the list of backends, and the field for the name of each. */
    list: z.string().default('instances'),
    nameField: z.string().default('name'),
    /** `required`: the toolset's own health check fails without credentials. */
    credentials: z.enum(['optional', 'required']).default('optional'),
    auth: auth.default({}),
  }),
  z.strictObject({
    http: z.strictObject({
      /** Paths below the base path that GET requests may use; `*` matches any characters. */
      paths: z.array(z.string().regex(/^[/*]/)).min(1),
      instructions: z.string().min(1).max(1200),
    }),
  }),
  z.strictObject({ mcp: z.strictObject({}) }),
  z.strictObject({ none: z.string().min(1) }),
]);

/** How a backend appears in HolmesGPT's configuration. */
export type HolmesEntry = z.infer<typeof entry>;
type Toolsets = Extract<HolmesEntry, { toolsets: unknown }>;
export type HolmesAuth = z.infer<typeof auth>;

/** The id of this output: its key in detector files and overrides. */
export const HOLMESGPT = 'holmesgpt';

/** `outputs.holmesgpt` of a detector file; release 0.1 called it `holmes`. */
export const holmesMapping: MappingRules = {
  schema: entry,
  isMcp: (mapping) => 'mcp' in (mapping as HolmesEntry),
  formerKey: 'holmes',
  warnings: (mapping) => ('toolsets' in (mapping as HolmesEntry) ? unknownToolsets(mapping as Toolsets) : []),
};

/** Another version of HolmesGPT may have them. */
const unknownToolsets = ({ toolsets }: Toolsets): { path: PropertyKey[]; message: string }[] =>
  toolsets.flatMap((name, index) =>
    isKnownName(name)
      ? []
      : {
          path: ['toolsets', index],
          message: `HolmesGPT ${HOLMES.holmesgpt} has no toolset ${JSON.stringify(name)}, so the backends would be left out of custom_toolset.yaml${meantToolset(name)}`,
        },
  );

const NO_ENTRY: HolmesEntry = { none: 'the agent has no entry for tools of this type' };

/** The mapping of a tool, which was validated with its detector file. */
export const entryOf = ({ mappings }: { readonly mappings: Mappings }): HolmesEntry =>
  (mappings[HOLMESGPT] as HolmesEntry | undefined) ?? NO_ENTRY;

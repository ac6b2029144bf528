import * as z from 'zod';
import { isMapping } from '../../model/mapping.ts';
import type { Mentions, Overrides, OverridesPart } from '../../model/overrides.ts';
import { oneLine } from '../../model/text.ts';
import { HOLMESGPT } from './mapping.ts';
import { holmesKey } from './schema.ts';

/** A value in a YAML document. `null` removes the generated value. */
const value: z.ZodType<unknown> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(holmesKey, value)]),
);
const entries = z.record(holmesKey, z.union([z.record(holmesKey, value), z.null()]));

/** `NAMESPACE/SERVICE`, `NAMESPACE/*`, `*`, or the name of a user's own tool. */
const backendKey = z
  .string()
  .regex(
    /^(\*|[a-z0-9-]+\/(\*|[a-z0-9-]+)|[^./*]+)$/,
    'names no backend: write NAMESPACE/SERVICE, or NAMESPACE/* for all of a namespace',
  );
const toolset = z
  .record(holmesKey, value)
  .and(z.object({ backends: z.record(backendKey, z.record(holmesKey, value)).optional() }));

const schema = z
  .strictObject({
    /** `backends` in an entry has options for single discovered backends. */
    toolsets: z.record(holmesKey, z.union([toolset, z.null()])).optional(),
    mcp_servers: entries.optional(),
  })
  .default({});

/** A patch of `custom_toolset.yaml`: mappings are merged, everything else is replaced, `null` deletes. */
export type HolmesPatch = z.infer<typeof schema>;

/** The names of backends in the configuration of a toolset. */
function instanceNames(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return [];
  const { instances, clusters } = config as { readonly instances?: unknown; readonly clusters?: unknown };
  return [instances, clusters]
    .flat()
    .flatMap((entry) => (typeof entry === 'object' && entry !== null ? Object.entries(entry as object) : []))
    .flatMap(([field, name]) => (['name', 'id'].includes(field) && typeof name === 'string' ? [name] : []));
}

function mentions({ toolsets = {}, mcp_servers = {} }: HolmesPatch): Mentions {
  const servers = Object.entries(mcp_servers).map(([key, entry]) => {
    const config = isMapping(entry?.config) ? entry.config : {};
    return {
      key,
      urls: [entry?.url, config.url].filter((url) => typeof url === 'string'),
      where: `overrides.yaml, mcp_servers ${oneLine(key, 100)}`,
    };
  });
  const backends = Object.values(toolsets).flatMap((entry) => Object.keys(entry?.backends ?? {}));
  return {
    names: Object.values(toolsets).flatMap((entry) => instanceNames(entry?.config)),
    keys: [...backends, ...Object.keys(mcp_servers).filter((key) => key.includes('/'))],
    servers,
  };
}

/** `holmesgpt` of `overrides.yaml`. */
export const holmesOverrides: OverridesPart<HolmesPatch> = { schema, mentions };

/** The patch in overrides, which the schema has validated. */
export const patchIn = ({ parts }: Overrides): HolmesPatch =>
  (parts[HOLMESGPT] as HolmesPatch | undefined) ?? {};

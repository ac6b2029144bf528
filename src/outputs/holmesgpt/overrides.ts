import * as z from 'zod';
import { displayKey } from '../../model/key.ts';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import {
  addressedService,
  type Mentions,
  type Overrides,
  type OverridesPart,
} from '../../model/overrides.ts';
import { MAYBE_PART } from '../../model/part.ts';
import { oneLine } from '../../model/text.ts';
import { holmesKey, holmesKeyOf } from './contract/schema.ts';
import { HOLMESGPT } from './render/mapping.ts';

/** A value in a YAML document. `null` removes the generated value. */
const value: z.ZodType<unknown> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(holmesKey, value)]),
);
/** A suggestion for a key `SERVICE.NAMESPACE`, which `tools` accepts. */
function slashed(key: string): string {
  const service = addressedService(key);
  return service === undefined ? '' : `; the key of that Service is ${displayKey(service)} here`;
}

/** A key of HolmesGPT; a discovered server has `NAMESPACE/SERVICE`. */
const serverKey = holmesKeyOf(slashed);
const entries = z.record(serverKey, z.union([z.record(holmesKey, value), z.null()]));

/** `NAMESPACE/SERVICE`, `NAMESPACE/*`, `*`, or the name of a user's own tool. */
const backendKey = z
  .string()
  .regex(
    new RegExp(`^(\\*|[a-z0-9-]+/(\\*|[a-z0-9-]+${MAYBE_PART})|[^./*]+)$`),
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

/** The lists of backends in the configuration of a toolset, deprecated names included. */
const LISTS = ['instances', 'clusters', 'kafka_clusters'];

/** The name in the fields of a backend. */
const namesIn = (fields: unknown): string[] =>
  (isMapping(fields) ? [fields.name, fields.id] : [])
    .filter((name) => typeof name === 'string' || typeof name === 'number')
    .map(String);

/** The names that a toolset's entry gives to backends. No Service may have one of them as its display name. */
function backendNames({ config, backends }: Mapping): string[] {
  const listed = isMapping(config) ? LISTS.flatMap((list) => config[list] ?? []) : [];
  return [...listed, ...(isMapping(backends) ? Object.values(backends) : [])].flatMap(namesIn);
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
    names: Object.values(toolsets).flatMap((entry) => backendNames(entry ?? {})),
    keys: [...backends, ...Object.keys(mcp_servers).filter((key) => key.includes('/'))],
    servers,
  };
}

/** `holmesgpt` of `overrides.yaml`. */
export const holmesOverrides: OverridesPart<HolmesPatch> = { schema, mentions };

/** The patch in overrides, which the schema has validated. */
export const patchIn = ({ parts }: Overrides): HolmesPatch =>
  (parts[HOLMESGPT] as HolmesPatch | undefined) ?? {};

import * as z from 'zod';
import { HOME_CLUSTER } from './key.ts';
import { type ServiceKey, type ServiceName, serviceKey } from './service.ts';

/** HolmesGPT refuses a file in which any mapping key holds a dot (seen with 0.45.0: "keypath separator"). */
export const holmesKey = z
  .string()
  .regex(/^[^.]+$/, 'holds a dot, which HolmesGPT refuses in any key')
  .refine((key) => key !== '__proto__', 'is not allowed as a key');

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

/** The kinds of Services that a person may have to approve. */
export const APPROVED_KINDS = ['mcp', 'custom'] as const;
export type ApprovedKind = (typeof APPROVED_KINDS)[number];
/** What a person says of a Service that waits: as what it is approved, whether it is at all. */
export type ApprovalWord = boolean | ApprovedKind;
const APPROVED_WORDS = `must be ${APPROVED_KINDS.join(' or ')} for a Service of that kind, true whatever it is, or false`;

const toolOverride = z.strictObject({
  /** `false` leaves the tool out. */
  enabled: z.boolean().optional(),
  /**
   * `mcp`, `custom`: a person trusts the Service as one of this kind; `true`: whatever it is; `false`: it waits, whatever
   * its namespace.
   */
  approved: z.union([z.boolean(), z.enum(APPROVED_KINDS)], { error: APPROVED_WORDS }).optional(),
  /** Which tools `approve` showed of an MCP server. When it offers others, that is reported. */
  approvedTools: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{32}$/,
      'is not what approve writes (sha256: and 32 hexadecimal digits); run approve again, or take the line out',
    )
    .optional(),
  type: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      'is not a type: lower-case letters, digits and hyphens, at most 63',
    )
    .optional(),
  endpoint: z
    .url({ protocol: /^(https?|tcp)$/, error: 'is not an http, https or tcp URL', abort: true })
    .refine(
      (text) => !text.includes('{{'),
      'holds {{, which is no template here; write the URL out, or give the entry of HolmesGPT its URL under holmesgpt',
    )
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

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const IDENTITY = new RegExp(
  `^(?:(?<namespace>${LABEL})/(?<name>${LABEL})|(?<first>${LABEL})\\.(?<last>${LABEL}))$`,
);

/**
 * The Service that a key of `tools:` addresses: `namespace/service`, or `service.namespace`. It is one
 * of the home cluster. No annotation has a say in that. Any other key is a free name, for a tool of a person's own.
 */
export function addressedService(key: string): ServiceName | undefined {
  const { namespace, name, first, last } = IDENTITY.exec(key)?.groups ?? {};
  const found = { namespace: namespace ?? last, name: name ?? first };
  return found.namespace === undefined || found.name === undefined
    ? undefined
    : { cluster: HOME_CLUSTER, namespace: found.namespace, name: found.name };
}

const toolKey = z
  .string()
  .min(1)
  .max(253)
  .refine(
    (key) => !key.includes('/') || addressedService(key) !== undefined,
    'is not NAMESPACE/SERVICE, and the name of a tool of your own holds no slash',
  );

/** Control characters but tab and line breaks, and halves of surrogate pairs: no agent's file can hold them. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Tells each text and key that no document can hold, and each key that parsers drop in silence. */
function refuseUnwritable(
  value: unknown,
  path: PropertyKey[],
  issue: (path: PropertyKey[], what: string) => void,
): void {
  if (typeof value === 'string') {
    const [found] = UNPRINTABLE.exec(value) ?? [];
    if (found !== undefined)
      issue(path, `holds the character ${codePoint(found)}, which no agent can read; take it out`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      const here = [...path, Array.isArray(value) ? Number(key) : key];
      if (key === '__proto__') issue(here, 'is a key that would be ignored; take it out');
      else {
        refuseUnwritable(key, here, issue);
        refuseUnwritable(each, here, issue);
      }
    }
  }
}

const overrides = z.strictObject({
  /** By `namespace/service`: fields that change a tool; by any other name: a whole tool of the user's own. */
  tools: z.record(toolKey, toolOverride).default({}),
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
export const overridesSchema = z.preprocess((content, context) => {
  refuseUnwritable(content, [], (path, message) => context.addIssue({ code: 'custom', path, message }));
  return content ?? {};
}, overrides);

export type Overrides = z.infer<typeof overrides>;
export type ToolOverride = z.infer<typeof toolOverride>;

/** Fields with which an override is a tool by itself, whether or not anything was discovered. */
export const WHOLE_TOOL = ['type', 'endpoint', 'description'] as const;

/** An override that is a tool by itself. */
export type WholeTool = ToolOverride & Readonly<Record<(typeof WHOLE_TOOL)[number], string>>;

export const isWholeTool = (override: ToolOverride): override is WholeTool =>
  WHOLE_TOOL.every((field) => override[field] !== undefined);

/** The names that a person gives backends of one toolset. */
function instanceNames(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return [];
  const { instances, clusters } = config as { readonly instances?: unknown; readonly clusters?: unknown };
  return [instances, clusters]
    .flat()
    .flatMap((entry) => (typeof entry === 'object' && entry !== null ? Object.entries(entry as object) : []))
    .flatMap(([field, name]) => (['name', 'id'].includes(field) && typeof name === 'string' ? [name] : []));
}

/**
 * Names of the tools that people added, and of backends that they configured, in lower case: no Service may take one for
 * display, in whatever case.
 */
export function reservedNames({ tools, holmesgpt }: Overrides): Set<string> {
  const added = Object.entries(tools).flatMap(([key, each]) => (isWholeTool(each) ? [key] : []));
  const configured = Object.values(holmesgpt.toolsets ?? {}).flatMap((entry) => instanceNames(entry?.config));
  return new Set([...added, ...configured].map((name) => name.toLowerCase()));
}

/** The Services that overrides address. */
export function addressedServices({ tools, holmesgpt }: Overrides): Set<ServiceKey> {
  const backends = Object.values(holmesgpt.toolsets ?? {}).flatMap((entry) =>
    Object.keys(entry?.backends ?? {}),
  );
  const servers = Object.keys(holmesgpt.mcp_servers ?? {}).filter((key) => key.includes('/'));
  return new Set(
    [...Object.keys(tools), ...backends, ...servers].flatMap((key) => {
      const address = addressedService(key);
      return address === undefined ? [] : [serviceKey(address)];
    }),
  );
}

/** The Services for which people give a URL of their own. */
export function placedServices({ tools }: Overrides): Set<ServiceKey> {
  return new Set(
    Object.entries(tools).flatMap(([key, { endpoint }]) => {
      const address = endpoint === undefined ? undefined : addressedService(key);
      return address === undefined ? [] : [serviceKey(address)];
    }),
  );
}

/** No overrides at all. */
export const NO_OVERRIDES: Overrides = { tools: {}, holmesgpt: {} };

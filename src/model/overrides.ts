import * as z from 'zod';
import { HOME_CLUSTER } from './key.ts';
import { type ServiceKey, type ServiceName, serviceKey } from './service.ts';

/** HolmesGPT rejects a file with a dot in any mapping key (observed with 0.45.0: "keypath separator"). */
export const holmesKey = z
  .string()
  .regex(/^[^.]+$/, 'holds a dot, which HolmesGPT refuses in any key')
  .refine((key) => key !== '__proto__', 'is not allowed as a key');

/** A value in a YAML document. `null` removes the generated value. */
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

/** `NAMESPACE/SERVICE`, `NAMESPACE/*`, `*`, or the name of a user's own tool. */
const backendKey = z
  .string()
  .regex(
    /^(\*|[a-z0-9-]+\/(\*|[a-z0-9-]+)|[^./*]+)$/,
    'names no backend: write NAMESPACE/SERVICE, or NAMESPACE/* for all of a namespace',
  );
const toolset = z
  .record(holmesKey, holmesValue)
  .and(z.object({ backends: z.record(backendKey, z.record(holmesKey, holmesValue)).optional() }));

/** The kinds of Services that need approval. */
export const APPROVED_KINDS = ['mcp', 'custom'] as const;
export type ApprovedKind = (typeof APPROVED_KINDS)[number];
/** The value of `approved`: the approved kind, `true` for any kind, or `false`. */
export type ApprovalWord = boolean | ApprovedKind;
const APPROVED_WORDS = `must be ${APPROVED_KINDS.join(' or ')} for a Service of that kind, true whatever it is, or false`;

const toolOverride = z.strictObject({
  /** `false` disables the tool. */
  enabled: z.boolean().optional(),
  /**
   * `mcp`, `custom`: approved as this kind; `true`: approved as any kind; `false`: not approved, even in a trusted
   * namespace.
   */
  approved: z.union([z.boolean(), z.enum(APPROVED_KINDS)], { error: APPROVED_WORDS }).optional(),
  /** Digest of the tools that `approve` showed. If an MCP server offers other tools, that is reported. */
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
 * The Service that a key of `tools:` addresses: `namespace/service` or `service.namespace`, in the home cluster. Display
 * names do not count. Any other key is the name of a user's own tool.
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

/** Control characters other than tab and line breaks, and lone surrogates. They are invalid in any agent's file. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Reports texts and keys that are invalid in documents, and keys that parsers drop silently. */
function reportUnwritable(
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
        reportUnwritable(key, here, issue);
        reportUnwritable(each, here, issue);
      }
    }
  }
}

const overrides = z.strictObject({
  /** By `namespace/service`: changes of a tool. By any other name: a user's own tool. */
  tools: z.record(toolKey, toolOverride).default({}),
  /** A patch of `custom_toolset.yaml`: mappings are merged, everything else is replaced, `null` deletes. */
  holmesgpt: z
    .strictObject({
      /** `backends` in an entry has options for single discovered backends. */
      toolsets: z.record(holmesKey, z.union([toolset, z.null()])).optional(),
      mcp_servers: entries.optional(),
    })
    .default({}),
});

/** The schema of `overrides.yaml`: the users' changes of generated tools, and their own tools. It may be empty. */
export const overridesSchema = z.preprocess((content, context) => {
  reportUnwritable(content, [], (path, message) => context.addIssue({ code: 'custom', path, message }));
  return content ?? {};
}, overrides);

export type Overrides = z.infer<typeof overrides>;
export type ToolOverride = z.infer<typeof toolOverride>;

/** An override with all of these fields is a complete tool, even if nothing was discovered. */
export const WHOLE_TOOL = ['type', 'endpoint', 'description'] as const;

/** An override that is a tool by itself. */
export type WholeTool = ToolOverride & Readonly<Record<(typeof WHOLE_TOOL)[number], string>>;

export const isWholeTool = (override: ToolOverride): override is WholeTool =>
  WHOLE_TOOL.every((field) => override[field] !== undefined);

/** The names of backends in the configuration of a toolset. */
function instanceNames(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return [];
  const { instances, clusters } = config as { readonly instances?: unknown; readonly clusters?: unknown };
  return [instances, clusters]
    .flat()
    .flatMap((entry) => (typeof entry === 'object' && entry !== null ? Object.entries(entry as object) : []))
    .flatMap(([field, name]) => (['name', 'id'].includes(field) && typeof name === 'string' ? [name] : []));
}

/** Names of users' own tools and configured backends, in lower case. No Service may use one as a display name, in any case. */
export function reservedNames({ tools, holmesgpt }: Overrides): Set<string> {
  const added = Object.entries(tools).flatMap(([key, each]) => (isWholeTool(each) ? [key] : []));
  const configured = Object.values(holmesgpt.toolsets ?? {}).flatMap((entry) => instanceNames(entry?.config));
  return new Set([...added, ...configured].map((name) => name.toLowerCase()));
}

/** The Services whose keys are in overrides. */
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

/** The Services for which overrides set an endpoint. */
export function servicesWithEndpoint({ tools }: Overrides): Set<ServiceKey> {
  return new Set(
    Object.entries(tools).flatMap(([key, { endpoint }]) => {
      const address = endpoint === undefined ? undefined : addressedService(key);
      return address === undefined ? [] : [serviceKey(address)];
    }),
  );
}

/** No overrides at all. */
export const NO_OVERRIDES: Overrides = { tools: {}, holmesgpt: {} };

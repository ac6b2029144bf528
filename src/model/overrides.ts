import * as z from 'zod';
import { HOME_CLUSTER } from './key.ts';
import { MAYBE_PART, MAYBE_PART_OF_TOOL } from './part.ts';
import { portFault } from './port-fault.ts';
import { type ServiceKey, type ServiceName, serviceKey } from './service.ts';

/** The kinds of Services that need approval. */
export const APPROVED_KINDS = ['mcp', 'custom'] as const;
export type ApprovedKind = (typeof APPROVED_KINDS)[number];
/** The value of `approved`: the approved kind, `true` for any kind, or `false`. */
export type ApprovalWord = boolean | ApprovedKind;
const APPROVED_WORDS = `must be ${APPROVED_KINDS.join(' or ')} to approve that kind of Service only, true to approve any kind, or false`;

/** The type of a tool. */
export const toolType = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a type: lower-case letters, digits and hyphens, at most 63',
  );

/** The URL of a tool. */
export const toolEndpoint = z
  .url({
    protocol: /^(https?|tcp)$/,
    // For a value that is not text, the default message says what it is.
    error: ({ input }) =>
      typeof input === 'string' ? (portFault(input) ?? 'is not an http, https or tcp URL') : undefined,
    abort: true,
  })
  .refine(
    (text) => !text.includes('{{'),
    'contains {{, but templates are not supported here; write the whole URL, or write the entry into the part of an agent that supports templates',
  )
  .refine((text) => {
    const { username, password, search, hash } = new URL(text);
    return username === '' && password === '' && search === '' && hash === '';
  }, 'has credentials, a query or a fragment, which do not belong in an endpoint')
  .refine((text) => !text.startsWith('tcp:') || new URL(text).port !== '', 'has no port');

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
      /^sha256:[0-9a-f]{64}$/,
      'is not what approve writes (sha256: and 64 hexadecimal digits); run approve again, or take the line out',
    )
    .optional(),
  type: toolType.optional(),
  endpoint: toolEndpoint.optional(),
  description: z.string().min(1).max(500).optional(),
  namespace: z.string().min(1).max(63).optional(),
  metadata: z.record(z.string().min(1), z.string()).optional(),
});

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const IDENTITY = new RegExp(
  `^(?:(?<namespace>${LABEL})/(?<name>${LABEL}${MAYBE_PART})|(?<first>${LABEL}${MAYBE_PART_OF_TOOL})\\.(?<last>${LABEL}))$`,
);

/**
 * The Service that a key of `tools:` addresses: `namespace/service` or `service.namespace`, in the home cluster, and for a part
 * of it `namespace/service:port` or `service_port.namespace`. Display names do not count. Any other key is the name of a user's
 * own tool.
 */
export function addressedService(key: string): ServiceName | undefined {
  const { namespace, name, first, last } = IDENTITY.exec(key)?.groups ?? {};
  const found = { namespace: namespace ?? last, name: name ?? first?.replace('_', ':') };
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
    'is neither NAMESPACE/SERVICE nor NAMESPACE/SERVICE:PORT, and the name of a tool of your own cannot contain a slash',
  );

/** Control characters other than tab and line breaks, and lone surrogates. They are invalid in any agent's file. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Reports texts and keys that are invalid in documents, and keys that parsers drop silently. */
export function reportUnwritable(
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

/** An MCP server that a user lists for one agent. */
export interface ListedServer {
  /** The user's name for it. */
  readonly key: string;
  readonly urls: readonly string[];
  /** Where it is listed, for messages. */
  readonly where: string;
}

/** What the parts of outputs say about backends. The stages use only this, because they know no output. */
export interface Mentions {
  /** Names of backends that users configure. No Service may use one as a display name. */
  readonly names: readonly string[];
  /** Keys that may address a Service, as in `tools`. */
  readonly keys: readonly string[];
  readonly servers: readonly ListedServer[];
}

/** An output's own part of `overrides.yaml`, under the id of the output. */
export interface OverridesPart<T = unknown> {
  readonly schema: z.ZodType<T>;
  /** What a part that fits the schema says about backends. */
  mentions(part: T): Mentions;
}

/** The users' changes of generated tools, and their own tools. */
export interface Overrides {
  /** By `namespace/service`: changes of a tool. By any other name: a user's own tool. */
  readonly tools: Readonly<Record<string, ToolOverride>>;
  /** The parts of outputs, by id. Each output knows the form of its own. */
  readonly parts: Readonly<Record<string, unknown>>;
  readonly mentions: Mentions;
}

/**
 * The schema of `overrides.yaml`. The file may be empty.
 * @param parts the part of each output, by id
 */
export function overridesSchemaOf(parts: Readonly<Record<string, OverridesPart>>): z.ZodType<Overrides> {
  const all = Object.entries(parts);
  const file = z
    .strictObject({
      tools: z.record(toolKey, toolOverride).default({}),
      ...Object.fromEntries(all.map(([id, { schema }]) => [id, schema])),
    })
    .transform(({ tools, ...content }): Overrides => {
      const given: Readonly<Record<string, unknown>> = content;
      const mentions = all.map(([id, part]) => part.mentions(given[id]));
      return {
        tools,
        parts: given,
        mentions: {
          names: mentions.flatMap(({ names }) => names),
          keys: mentions.flatMap(({ keys }) => keys),
          servers: mentions.flatMap(({ servers }) => servers),
        },
      };
    });
  return z.preprocess((content, context) => {
    reportUnwritable(content, [], (path, message) => context.addIssue({ code: 'custom', path, message }));
    return content ?? {};
  }, file);
}

export type ToolOverride = z.infer<typeof toolOverride>;

/** An override with all of these fields is a complete tool, even if nothing was discovered. */
export const WHOLE_TOOL = ['type', 'endpoint', 'description'] as const;

/** An override that defines a tool of its own. */
export type WholeTool = ToolOverride & Readonly<Record<(typeof WHOLE_TOOL)[number], string>>;

export const isWholeTool = (override: ToolOverride): override is WholeTool =>
  WHOLE_TOOL.every((field) => override[field] !== undefined);

/** Names of users' own tools and configured backends, in lower case. No Service may use one as a display name, in any case. */
export function reservedNames({ tools, mentions }: Overrides): Set<string> {
  const added = Object.entries(tools).flatMap(([key, each]) => (isWholeTool(each) ? [key] : []));
  return new Set([...added, ...mentions.names].map((name) => name.toLowerCase()));
}

/** The Services whose keys are in overrides. */
export function addressedServices({ tools, mentions }: Overrides): Set<ServiceKey> {
  return new Set(
    [...Object.keys(tools), ...mentions.keys].flatMap((key) => {
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
export const NO_OVERRIDES: Overrides = {
  tools: {},
  parts: {},
  mentions: { names: [], keys: [], servers: [] },
};

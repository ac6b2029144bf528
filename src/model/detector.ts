import * as z from 'zod';
import { CERTAINTIES } from './certainties.ts';
import { probeSpec } from './proof.ts';
import { TENANT } from './tenants.ts';

const word = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]+(-[a-z0-9]+)*$/,
    'is not lower-case letters and digits with single hyphens between the words',
  );
const words = z.array(word).min(1);
const httpPath = z.string().regex(/^\/[\x21-\x7e]*$/, 'is not a path: it starts with / and has no spaces');
const portNumber = z.number().int().min(1).max(65535);

const certainty = z.enum(CERTAINTIES);

/** Matches a label, annotation or name: a text (`*` matches any characters), one of a list, or `true` if it exists. */
const expectation = z.union([z.string().min(1), z.array(z.string().min(1)).min(1), z.literal(true)]);
const expectations = z.record(z.string().min(1), expectation);

const matcherShape = {
  labels: expectations.optional(),
  annotations: expectations.optional(),
  selector: expectations.optional(),
  name: expectation.optional(),
  /** All of these must match the same port. */
  port: z
    .strictObject({
      name: expectation.optional(),
      number: portNumber.optional(),
      appProtocol: expectation.optional(),
    })
    .optional(),
};
const namesSomething = (match: object): boolean =>
  Object.keys(match).some((key) => Object.hasOwn(matcherShape, key));
const NOTHING = 'has no condition: give labels, annotations, selector, name or port';

const matcher = z.strictObject(matcherShape).refine(namesSomething, NOTHING);
const signal = z.strictObject({ certainty, ...matcherShape }).refine(namesSomething, NOTHING);
const exclusion = z.strictObject({ why: z.string().min(1), ...matcherShape }).refine(namesSomething, NOTHING);

/** The part of a detector file that does not depend on outputs. */
const detector = z.strictObject({
  type: word,
  title: z.string().min(1).max(60),
  description: z.string().min(1).max(200),
  /** The product's spellings, as words joined by hyphens. */
  names: z.array(word).default([]),
  /** Words that may follow the product's name: those of the vocabulary only, or `any`. */
  trailing: z.enum(['known', 'any']).default('known'),
  signals: z.array(signal).default([]),
  exclude: z.array(exclusion).default([]),
  /** Role words of this product, in addition to the shared vocabulary. */
  roles: z.record(word, words).default({}),
  /** Roles that exclude other products, but not this one. */
  accepts: z.array(word).default([]),
  /** Annotations with details from the Service's owner. */
  fromAnnotations: z
    .strictObject({
      type: z.string().optional(),
      name: z.string().optional(),
      endpoint: z.string().optional(),
      /** Number or name of the port. */
      port: z.string().optional(),
      healthPath: z.string().optional(),
      /** Base path. The first existing annotation counts. */
      path: z.array(z.string()).optional(),
      description: z.string().optional(),
    })
    .default({}),
  /** Its ports, preferred ones first. `any`: accept a Service's only port, whatever its name. */
  ports: z.strictObject({
    names: z.array(z.string().min(1)).default([]),
    numbers: z.array(portNumber).default([]),
    /** `appProtocol`s, which take precedence over names and numbers. */
    appProtocols: z.array(z.string().min(1)).default([]),
    any: z.boolean().default(false),
  }),
  transport: z.enum(['http', 'tcp']).default('http'),
  /** Base path, MCP transport and scheme of the API. The first entry whose words and conditions match the Service counts. */
  paths: z
    .array(
      z
        .strictObject({
          words: z.array(word).default([]),
          when: matcher.optional(),
          path: httpPath,
          /** The tenants that such a backend always has. The path contains `{tenant}`. */
          tenants: words.optional(),
          mode: z.enum(['streamable-http', 'sse']).optional(),
          scheme: z.enum(['http', 'https']).optional(),
        })
        .refine(
          ({ path, tenants }) => path.includes(TENANT) === (tenants !== undefined),
          'has one of {tenant} in its path and tenants without the other',
        ),
    )
    .default([]),
  probe: probeSpec.prefault({}),
});

/** How each output represents a kind of backend, by output id. Only the output knows the content. */
export type Mappings = Readonly<Record<string, unknown>>;

/** The rules of an output for its own part of a detector file. */
export interface MappingRules {
  readonly schema: z.ZodType;
  /** Whether the agent uses the backend as an MCP server, so that it needs approval. */
  isMcp(mapping: unknown): boolean;
  /** The key of the mapping in detector files of release 0.1, which had no `outputs`. */
  readonly formerKey?: string;
  /** What is valid and probably a mistake, with the path in the mapping. */
  warnings?(mapping: unknown): readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** A detector: everything that the program knows about one kind of backend. */
export interface Detector extends z.infer<typeof detector> {
  readonly outputs: Mappings;
  /** Whether its backends are MCP servers, which need approval because they provide their own tools and texts. */
  readonly mcp: boolean;
}

/**
 * The schema of a detector file.
 * @param outputs the rules of each output, by id
 */
export function detectorSchemaOf(outputs: Readonly<Record<string, MappingRules>>): z.ZodType<Detector> {
  const all = Object.entries(outputs);
  const former = all.flatMap(([id, { formerKey }]) =>
    formerKey === undefined ? [] : [[formerKey, id] as const],
  );
  const optional = (entries: readonly (readonly [key: string, id: string])[]): Record<string, z.ZodType> =>
    Object.fromEntries(entries.map(([key, id]) => [key, (outputs[id]?.schema ?? z.never()).optional()]));
  return z
    .strictObject({
      ...detector.shape,
      outputs: z.strictObject(optional(all.map(([id]) => [id, id]))).default({}),
      ...optional(former),
    })
    .transform((content, context): Detector => {
      const file: Record<string, unknown> = { ...content };
      const mappings: Record<string, unknown> = { ...content.outputs };
      for (const [key, id] of former) {
        const mapping = file[key];
        delete file[key];
        if (mapping === undefined) continue;
        if (mappings[id] !== undefined)
          context.addIssue({
            code: 'custom',
            path: [key],
            message: `is not allowed next to outputs.${id}; remove it`,
          });
        mappings[id] = mapping;
      }
      const isMcp = all.some(([id, rules]) => mappings[id] !== undefined && rules.isMcp(mappings[id]));
      return {
        ...(file as Omit<Detector, 'outputs' | 'mcp'>),
        outputs: mappings,
        mcp: content.probe.protocol === 'mcp' || isMcp,
      };
    });
}

/** The schema of the shared vocabulary: the words for components of observability systems, and their roles. */
export const vocabularySchema = z.strictObject({
  /** Excludes a Service, whatever else matches. */
  optOut: z.array(exclusion),
  /** Labels and selector keys whose value names the product. */
  identity: z.array(
    z.strictObject({ from: z.enum(['labels', 'selector']), key: z.string().min(1), certainty }),
  ),
  /** The label that names the part of a product. */
  component: z.array(z.string().min(1)),
  /** Labels that distinguish installations of one product. */
  instance: z.array(z.string().min(1)),
  /** Products that bring backends for their own use, by the words that are in the names of their installations. */
  bundles: z.array(z.strictObject({ name: word, title: z.string().min(1) })),
  /** Words without a meaning for the role of a component. */
  neutral: words,
  /** Port names that any web server may use. */
  genericPorts: z.array(z.string().min(1)),
  /** Ports of other protocols than HTTP, which are never chosen unless a detector lists their number or name. */
  otherProtocols: z.strictObject({
    numbers: z.array(z.number().int().min(1).max(65_535)),
    names: z.array(z.string().min(1)),
    appProtocols: z.array(z.string().min(1)),
  }),
  roles: z.record(
    word,
    z.strictObject({
      words,
      why: z.string().min(1),
      /** Rank as an entry point for the agent, lowest first. Without a rank, never an entry point. */
      rank: z.number().int().min(0).max(100).optional(),
      /** Whether it also counts before the product's name. */
      anywhere: z.boolean().default(false),
      /** Whether, in a Service's name, it counts only together with the product's name. */
      besideProduct: z.boolean().default(false),
      /** Whether it is something else than the product, so that the type of the product would be wrong for it. */
      isOther: z.boolean().default(false),
    }),
  ),
});

export type Vocabulary = z.infer<typeof vocabularySchema>;
export type Matcher = z.infer<typeof matcher>;
export type Expectation = z.infer<typeof expectation>;
export type Certainty = z.infer<typeof certainty>;

/** Detectors, each with its own type, and their shared vocabulary. */
export interface DetectorSet {
  readonly vocabulary: Vocabulary;
  readonly detectors: readonly Detector[];
}

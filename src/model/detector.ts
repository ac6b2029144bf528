import * as z from 'zod';
import { CERTAINTIES } from './certainties.ts';
import { probeSpec } from './proof.ts';

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

/** What a label, annotation or name must be: a text (`*` stands for any run), one of a list, or `true` for "it is there". */
const expectation = z.union([z.string().min(1), z.array(z.string().min(1)).min(1), z.literal(true)]);
const expectations = z.record(z.string().min(1), expectation);

const matcherShape = {
  labels: expectations.optional(),
  annotations: expectations.optional(),
  selector: expectations.optional(),
  name: expectation.optional(),
  /** Must hold together for one and the same port. */
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

/** What a detector file holds apart from how its backends appear in outputs. */
const detector = z.strictObject({
  type: word,
  title: z.string().min(1).max(60),
  description: z.string().min(1).max(200),
  /** The product's spellings, as words joined by hyphens. */
  names: z.array(word).default([]),
  /** What may follow the product's name: words of the vocabulary only, or `any` word. */
  trailing: z.enum(['known', 'any']).default('known'),
  signals: z.array(signal).default([]),
  exclude: z.array(exclusion).default([]),
  /** Words that play a role in this product only, beside the shared vocabulary. */
  roles: z.record(word, words).default({}),
  /** Roles that are no reason to leave this product out, though they are for others. */
  accepts: z.array(word).default([]),
  /** Annotations with which the Service's owner says more. */
  fromAnnotations: z
    .strictObject({
      type: z.string().optional(),
      name: z.string().optional(),
      endpoint: z.string().optional(),
      /** Number or name of the port. */
      port: z.string().optional(),
      healthPath: z.string().optional(),
      /** Base path; may be given by several annotations, the first that is there counts. */
      path: z.array(z.string()).optional(),
      description: z.string().optional(),
    })
    .default({}),
  /** Its ports, the preferred first. `any`: the only port will do, whatever its name. */
  ports: z.strictObject({
    names: z.array(z.string().min(1)).default([]),
    numbers: z.array(portNumber).default([]),
    /** `appProtocol`s that say more than any name or number. */
    appProtocols: z.array(z.string().min(1)).default([]),
    any: z.boolean().default(false),
  }),
  transport: z.enum(['http', 'tcp']).default('http'),
  /** Base path of the API, how MCP is spoken there and whether with TLS; the first entry whose words and conditions the Service fulfils wins. */
  paths: z
    .array(
      z.strictObject({
        words: z.array(word).default([]),
        when: matcher.optional(),
        path: httpPath,
        mode: z.enum(['streamable-http', 'sse']).optional(),
        scheme: z.enum(['http', 'https']).optional(),
      }),
    )
    .default([]),
  probe: probeSpec.prefault({}),
});

/** How backends of one kind appear in each output, by the output's id. Only that output knows what is in it. */
export type Mappings = Readonly<Record<string, unknown>>;

/** What an output says of the part of a detector file that is its own. */
export interface MappingRules {
  readonly schema: z.ZodType;
  /** The agent connects to such a backend as to an MCP server, so it needs a person's approval. */
  isMcp(mapping: unknown): boolean;
  /** Where the mapping stands in detector files of release 0.1, which had no `outputs`. */
  readonly formerKey?: string;
}

/** Everything the program knows about one kind of backend. */
export interface Detector extends z.infer<typeof detector> {
  readonly outputs: Mappings;
  /** Its backends are MCP servers: they bring tools and texts of their own, so each needs a person's approval. */
  readonly mcp: boolean;
}

/**
 * The schema of one detector file.
 * @param outputs by the id of each output
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
            message: `stands beside outputs.${id}; remove it`,
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

/** The schema of the shared vocabulary: what the parts of such systems are called, and what each part is good for. */
export const vocabularySchema = z.strictObject({
  /** Keeps a Service out, whatever else it says. */
  optOut: z.array(exclusion),
  /** Labels and selector keys whose value names the product. */
  identity: z.array(
    z.strictObject({ from: z.enum(['labels', 'selector']), key: z.string().min(1), certainty }),
  ),
  /** The label that names the part of a product. */
  component: z.array(z.string().min(1)),
  /** Labels that tell two installations of one product apart. */
  instance: z.array(z.string().min(1)),
  /** Words that say nothing about what a component is. */
  neutral: words,
  /** Names that a port of any web server may have. */
  genericPorts: z.array(z.string().min(1)),
  roles: z.record(
    word,
    z.strictObject({
      words,
      why: z.string().min(1),
      /** How likely a person would point the agent there, lowest first; without it: never. */
      rank: z.number().int().min(0).max(100).optional(),
      /** It decides also where it stands before the product's name. */
      anywhere: z.boolean().default(false),
      /** In a Service's name it counts only beside the product's name. */
      besideProduct: z.boolean().default(false),
    }),
  ),
});

export type Vocabulary = z.infer<typeof vocabularySchema>;
export type Matcher = z.infer<typeof matcher>;
export type Expectation = z.infer<typeof expectation>;
export type Certainty = z.infer<typeof certainty>;

/** Detectors, each of a type of its own, and the words that they share. */
export interface DetectorSet {
  readonly vocabulary: Vocabulary;
  readonly detectors: readonly Detector[];
}

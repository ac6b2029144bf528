import * as z from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** What a value in a JSON answer must be: itself, of a kind, there or not there, or a text that holds another. */
const wanted = z.union([
  scalar,
  z.strictObject({ type: z.enum(['string', 'number', 'boolean', 'object', 'array']) }),
  z.strictObject({ present: z.boolean() }),
  z.strictObject({ contains: z.string().min(1) }),
]);

const path = z.string().regex(/^(\{base\})?\/[\x21-\x7e]*$/, 'is not a path: it starts with / or {base}/');

/** One request and what its answer must be like. */
const check = z.strictObject({
  /** Path of the GET request; `{base}` is the backend's base path. */
  get: path,
  /** Status codes that count; any 2xx unless given. */
  status: z.array(z.number().int().min(100).max(599)).min(1).optional(),
  /** Values in the JSON body by dotted path; the empty path is the body itself. */
  json: z.record(z.string(), wanted).optional(),
  /** Texts that headers hold, by lower-case name, letter case aside; `true`: the header is there. */
  headers: z.record(z.string(), z.union([z.string().min(1), z.literal(true)])).optional(),
  /** A text that the body holds, letter case aside. */
  body: z.string().min(1).optional(),
  /** The whole body, white space around it aside. */
  text: z.string().min(1).optional(),
  /** The check holds when the answer is not like that. */
  not: z.literal(true).optional(),
});

/** One way to prove a type: all its checks hold. */
const proof = z.strictObject({
  all: z.array(check).min(1).max(4),
  /** Enough to confirm what labels say, too little to change the type of something else. */
  weak: z.literal(true).optional(),
  /** The base path at which it was proven, where that is another than the usual one. */
  path: z
    .string()
    .regex(/^(\/[\x21-\x7e]*[\x21-\x2e\x30-\x7e])?$/)
    .optional(),
});

/** How backends of one kind are asked for their health and made to prove what they are. */
export const probeSpec = z.strictObject({
  /** What is spoken with it. */
  protocol: z.enum(['http', 'mcp', 'kafka']).default('http'),
  /** Path that tells health; where it is not found (404), the next one. */
  health: z.array(path).min(1).default(['/']),
  /** An answer of 503 from a backend that is proven otherwise means "not ready yet", not "dead". */
  unready: z.enum(['dead', 'alive']).default('dead'),
  /** Ways to prove the type, the best first; without any, what labels and annotations say is taken as it is. */
  proofs: z.array(proof).default([]),
});

export type ProbeSpec = z.infer<typeof probeSpec>;
export type Check = z.infer<typeof check>;
export type Proof = z.infer<typeof proof>;
export type Wanted = z.infer<typeof wanted>;

import * as z from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Expectation for a value in a JSON response: a value, a type, presence or absence, or a contained text. */
const wanted = z.union([
  scalar,
  z.strictObject({ type: z.enum(['string', 'number', 'boolean', 'object', 'array']) }),
  z.strictObject({ present: z.boolean() }),
  z.strictObject({ contains: z.string().min(1) }),
]);

const path = z.string().regex(/^(\{base\})?\/[\x21-\x7e]*$/, 'is not a path: it starts with / or {base}/');

/** One request, and the expected response. */
const check = z.strictObject({
  /** Path of the GET request; `{base}` is the backend's base path. */
  get: path,
  /** Accepted status codes. Default: any 2xx. */
  status: z.array(z.number().int().min(100).max(599)).min(1).optional(),
  /** Expected values in the JSON body, by dotted path. The empty path is the body itself. */
  json: z.record(z.string(), wanted).optional(),
  /** Texts that headers contain, by lower-case name, ignoring case. `true`: the header exists. */
  headers: z.record(z.string(), z.union([z.string().min(1), z.literal(true)])).optional(),
  /** A text that the body contains, ignoring case. */
  body: z.string().min(1).optional(),
  /** The whole body, without surrounding white space. */
  text: z.string().min(1).optional(),
  /** Inverts the check. */
  not: z.literal(true).optional(),
});

/** A proof of a type. It holds if all checks pass. */
const proof = z.strictObject({
  all: z.array(check).min(1).max(5),
  /** Sufficient to confirm the type that labels name, but not to change another type. */
  weak: z.literal(true).optional(),
  /** Base path of the proof, if it differs from the usual one. */
  path: z
    .string()
    .regex(/^(\/[\x21-\x7e]*[\x21-\x2e\x30-\x7e])?$/)
    .optional(),
});

/** How to probe the health and type of a kind of backend. */
export const probeSpec = z
  .strictObject({
    /** Protocol of the probe. */
    protocol: z.enum(['http', 'mcp', 'kafka', 'grpc']).default('http'),
    /** For `grpc`: a method without parameters that only this product has. */
    method: z
      .string()
      .regex(/^[\w.]+\/\w+$/, 'is not a service and its method, such as grpc.health.v1.Health/Check')
      .optional(),
    /** Health paths. If one is not found (404), the next one is used. */
    health: z.array(path).min(1).default(['/']),
    /** Whether status 503 of a proven backend means "not ready yet" instead of "dead". */
    unready: z.enum(['dead', 'alive']).default('dead'),
    /** How requests name their tenant, and the response to one without, if the backend requires it. */
    tenant: z
      .strictObject({
        header: z.string().regex(/^[A-Za-z0-9-]+$/, 'is not the name of a header'),
        required: check,
      })
      .optional(),
    /** Proofs of the type, best first. Without any, labels and annotations are trusted. */
    proofs: z.array(proof).default([]),
  })
  .refine(({ protocol, method }) => (protocol === 'grpc') === (method !== undefined), {
    path: ['method'],
    message: 'is for protocol grpc, which needs it',
  });

export type ProbeSpec = z.infer<typeof probeSpec>;
export type Check = z.infer<typeof check>;
export type Proof = z.infer<typeof proof>;
export type Wanted = z.infer<typeof wanted>;

import * as z from 'zod';
import { MAYBE_PART } from './part.ts';
import { hideSecrets } from './redact-text.ts';

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable: letters, digits and _')
  .refine(
    (name) => hideSecrets(name) === name,
    'is a secret itself; write the name of the environment variable of the agent that has it',
  );

const namespace = z
  .string()
  .regex(
    /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/,
    'is not a namespace; write whole names, or * for all namespaces',
  );

/**
 * Credentials of one backend: the agent's own token, or others as names of the agent's environment variables. The agent substitutes the values, so this
 * program never sees them.
 */
export const credential = z
  .strictObject({
    apiKey: variable.optional(),
    bearerToken: variable.optional(),
    username: variable.optional(),
    password: variable.optional(),
    /** The agent brings the token of its own ServiceAccount, as HolmesGPT does on OpenShift. */
    agentToken: z.literal(true).optional(),
    /** Header names with the variables of their values. */
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'is not the name of a header'), variable)
      .refine((headers) => Object.keys(headers).length > 0, 'names no header')
      .optional(),
    /** Only for credentials of a type: the namespaces whose backends get them. `*` is all, including those of tenants. */
    namespaces: z.array(namespace).min(1).optional(),
  })
  .refine(({ namespaces: _, ...value }) => Object.keys(value).length > 0, 'names no variable')
  .refine(
    ({ username, password }) => (username === undefined) === (password === undefined),
    'has one of username and password without the other',
  )
  .refine(
    ({ apiKey, bearerToken, username, agentToken }) =>
      [apiKey, bearerToken, username, agentToken].filter((given) => given !== undefined).length <= 1,
    'mixes apiKey, bearerToken, agentToken and username with password; give one of them',
  );

/** Credentials by type with the namespaces that they are for, or by `namespace/service` for one backend. */
export const credentialsByBackend = z
  .record(
    z
      .string()
      .regex(
        new RegExp(`^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*${MAYBE_PART})?$`),
        'is neither a type nor namespace/service',
      ),
    credential,
  )
  .superRefine((byBackend, context) => {
    for (const [key, { namespaces }] of Object.entries(byBackend))
      if (!key.includes('/') && namespaces === undefined)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `names no namespaces, and anyone who has a Service of this type would get them; add "namespaces: [monitoring]" with those that you mean, or write monitoring/SERVICE instead of ${key}`,
        });
  });

export type Credential = z.infer<typeof credential>;
export type Credentials = z.infer<typeof credentialsByBackend>;

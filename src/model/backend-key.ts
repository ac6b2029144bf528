import * as z from 'zod';

/** The key of a setting that addresses backends: a type, `NAMESPACE/*` or `NAMESPACE/SERVICE`. */
export const backendKey = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]*(\/([a-z0-9][a-z0-9-]*|\*))?$/,
    'is neither a type, nor NAMESPACE/SERVICE, nor NAMESPACE/*',
  );

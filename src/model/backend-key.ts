import * as z from 'zod';
import { MAYBE_PART } from './part.ts';

/** The key of a setting that addresses backends: a type, `NAMESPACE/*`, `NAMESPACE/SERVICE` or `NAMESPACE/SERVICE:PORT`. */
export const backendKey = z
  .string()
  .regex(
    new RegExp(`^[a-z0-9][a-z0-9-]*(/([a-z0-9][a-z0-9-]*${MAYBE_PART}|\\*))?$`),
    'is neither a type, nor NAMESPACE/SERVICE, nor NAMESPACE/*',
  );

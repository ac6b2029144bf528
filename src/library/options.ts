import * as z from 'zod';
import { issueMessage } from '../model/schema-words.ts';
import { InputError } from './input-error.ts';

const text = z.string().optional();
const texts = z.array(z.string()).optional();

/** The options of both functions, which may share one object. The values of some are checked where they are read. */
const options = z.strictObject({
  overrides: text,
  detectors: texts,
  clusterDomain: text,
  defaultNamespace: text,
  allowedHosts: texts,
  allowExternalNames: z.boolean().optional(),
  holmesgptVersion: text,
  mcpPolicy: text,
  namespaces: texts,
});

/** @throws InputError that names each option that does not exist or has a value of another kind */
export function checkOptions(given: unknown): void {
  const read = options.safeParse(given, { error: issueMessage });
  if (read.success) return;
  const lines = read.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `options: there is no option ${issue.keys.join(', ')}`
      : `${['options', ...issue.path].join('.')}: ${issue.message}`,
  );
  throw new InputError(lines.join('\n'), String(read.error.issues[0]?.path[0] ?? 'options'));
}

/** @throws InputError if a value is no list of objects */
export function checkList(given: unknown, input: string, expected: string): void {
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return;
  throw new InputError(`${input}: must be ${expected}`, input);
}

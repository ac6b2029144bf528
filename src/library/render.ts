import * as z from 'zod';
import { toolKinds } from '../controller/pass.ts';
import type { Rules } from '../detection/rules.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { displayKey } from '../model/key.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import { fromBackend } from './backend.ts';
import { InputError } from './input-error.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import { readOptions } from './options.ts';
import { readList } from './reading.ts';
import type { Backend, Problem, RenderOptions, RenderResult } from './types.ts';

/** The program has at most as many: the largest `MAX_BACKENDS`. */
const LIST = { most: 10_000, expected: 'a list; of the result of detect, pass its backends' };

/** Reads the backends. @throws InputError if one is invalid, or has the tool or the Service of another one */
function readBackends(given: unknown, rules: Rules): DiscoveredService[] {
  const places = new Map<string, string>();
  return readList('backends', given, LIST).map((each, index) => {
    const input = `backends[${index}]`;
    const backend = fromBackend(each, input, rules);
    const parts = [
      [`the tool name ${backend.tool}`, 'give it another tool'],
      [`the Service ${displayKey(backend.service)}`, 'give it another namespace'],
    ] as const;
    const taken = parts.filter(([part]) => places.has(part));
    if (taken.length > 0)
      throw new InputError(
        taken.map(([part, fix]) => `${input}: has ${part} of ${places.get(part)}; ${fix}`).join('\n'),
        input,
      );
    for (const [part] of parts) places.set(part, input);
    return backend;
  });
}

/** @throws InputError if the result does not fulfil its schema: a name in overrides can move a backend to another one's */
function generated(backends: readonly DiscoveredService[], options: GenerateOptions): Generated {
  try {
    return generate(backends, options);
  } catch (cause) {
    if (!(cause instanceof z.ZodError)) throw cause;
    const [issue] = cause.issues;
    const fix = 'give each backend a tool that no other one and no tool of overrides has';
    throw new InputError(`backends: ${issue?.message}; ${fix}`, 'backends', [], { cause });
  }
}

/** A problem without advice about a setting of the program, which the library does not have. */
function withoutSettings(problem: Problem, settings: readonly string[]): Problem {
  const advice = settings.find((each) => problem.fix?.endsWith(each) === true);
  return advice === undefined ? problem : { ...problem, fix: problem.fix?.slice(0, -advice.length) ?? '' };
}

/**
 * Renders the documents that an agent loads. It uses no network and no files. Entries that the agent would reject are left
 * out, and listed in `problems`.
 * @param backends all or some of the backends from `detect`, at most 10,000
 * @throws InputError if an option or a backend is invalid
 * @example
 * const { documents } = render(backends, { holmesgptVersion: '0.45.0' });
 * await writeFile('custom_toolset.yaml', documents['custom_toolset.yaml']);
 */
export function render(backends: Iterable<Backend>, options: RenderOptions = {}): RenderResult {
  const { holmesgptVersion, mcpPolicy, namespaces, ...inputs } = readOptions(options);
  const overrides = overridesOf(inputs);
  const { rules } = rulesOf(inputs);
  const { documents, notes, waiting, omissions } = generated(readBackends(backends, rules), {
    credentials: {},
    holmesgptVersion,
    overrides,
    kinds: toolKinds(rules),
    mcpPolicy,
    namespaces,
  });
  const settings = omissions.flatMap(({ fix }) => (fix === undefined ? [] : [`; ${fix}`]));
  return { documents, problems: notes.map((note) => withoutSettings(note, settings)), waiting };
}

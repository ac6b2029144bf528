import { toolKinds } from '../controller/pass.ts';
import { generate } from '../outputs/generate.ts';
import { fromBackend } from './backend.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import { readOptions } from './options.ts';
import { readList } from './reading.ts';
import type { Backend, Problem, RenderOptions, RenderResult } from './types.ts';

/** The program has at most as many: the largest `MAX_BACKENDS`. */
const LIST = { most: 10_000, expected: 'a list; of the result of detect, pass its backends' };

/** A problem without advice about a setting of the program, which the library does not have. */
function withoutSettings(problem: Problem, settings: readonly string[]): Problem {
  const advice = settings.find((each) => problem.fix?.endsWith(each) === true);
  return advice === undefined ? problem : { ...problem, fix: problem.fix?.slice(0, -advice.length) ?? '' };
}

/**
 * Renders the documents that an agent loads. It uses no network and no files. Entries that the agent would reject are left
 * out, and listed in `problems`.
 * @param backends all or some of the backends from `detect`
 * @throws InputError if an option or a backend is invalid
 * @example
 * const { documents } = render(backends, { holmesgptVersion: '0.45.0' });
 * await writeFile('custom_toolset.yaml', documents['custom_toolset.yaml']);
 */
export function render(backends: Iterable<Backend>, options: RenderOptions = {}): RenderResult {
  const { holmesgptVersion, mcpPolicy, namespaces, ...inputs } = readOptions(options);
  const overrides = overridesOf(inputs);
  const { rules } = rulesOf(inputs);
  const { documents, notes, waiting, omissions } = generate(
    readList('backends', backends, LIST).map((each, index) => fromBackend(each, `backends[${index}]`, rules)),
    {
      credentials: {},
      holmesgptVersion,
      overrides,
      kinds: toolKinds(rules),
      mcpPolicy,
      namespaces,
    },
  );
  const settings = omissions.flatMap(({ fix }) => (fix === undefined ? [] : [`; ${fix}`]));
  return { documents, problems: notes.map((note) => withoutSettings(note, settings)), waiting };
}

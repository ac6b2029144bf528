import { SETTINGS } from '../config/setting-table.ts';
import { Fault } from '../config/setting-texts.ts';
import { toolKinds } from '../controller/pass.ts';
import { generate } from '../outputs/generate.ts';
import { fromBackend } from './backend.ts';
import { InputError } from './input-error.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import { checkList, checkOptions } from './options.ts';
import type { Backend, Problem, RenderOptions, RenderResult } from './types.ts';

/** Parses the text of an option. @throws InputError */
function setting<T>(input: string, text: string, read: (text: string) => T | Fault): T {
  const value = read(text);
  if (value instanceof Fault) throw new InputError(`${input}: ${JSON.stringify(text)} ${value.what}`, input);
  return value;
}

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
  checkOptions(options);
  checkList(backends, 'backends', 'backends of detect');
  const { holmesgptVersion, mcpPolicy = SETTINGS.mcpPolicy.defaultValue, namespaces = [] } = options;
  const overrides = overridesOf(options);
  const { rules } = rulesOf(options);
  const { documents, notes, waiting, omissions } = generate(
    [...backends].map((backend, index) => fromBackend(backend, `backends[${index}]`, rules)),
    {
      credentials: {},
      holmesgptVersion:
        holmesgptVersion === undefined
          ? SETTINGS.holmesgptVersion.defaultValue
          : setting('holmesgptVersion', holmesgptVersion, SETTINGS.holmesgptVersion.form.read),
      overrides,
      kinds: toolKinds(rules),
      mcpPolicy: setting('mcpPolicy', mcpPolicy, SETTINGS.mcpPolicy.form.read),
      namespaces,
    },
  );
  const settings = omissions.flatMap(({ fix }) => (fix === undefined ? [] : [`; ${fix}`]));
  return { documents, problems: notes.map((note) => withoutSettings(note, settings)), waiting };
}

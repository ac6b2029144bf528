import { SETTINGS } from '../config/setting-table.ts';
import { Fault } from '../config/setting-texts.ts';
import { toolKinds } from '../controller/pass.ts';
import { generate } from '../outputs/generate.ts';
import { fromBackend } from './backend.ts';
import { InputError } from './input-error.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import type { Backend, RenderOptions, RenderResult } from './types.ts';

/** Parses the text of an option. @throws InputError */
function setting<T>(input: string, text: string, read: (text: string) => T | Fault): T {
  const value = read(text);
  if (value instanceof Fault) throw new InputError(`${input}: ${JSON.stringify(text)} ${value.what}`, input);
  return value;
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
  const { holmesgptVersion, mcpPolicy = SETTINGS.mcpPolicy.defaultValue, namespaces = [] } = options;
  const overrides = overridesOf(options);
  const { rules } = rulesOf(options);
  const { documents, notes, waiting } = generate(
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
  return { documents, problems: notes, waiting };
}

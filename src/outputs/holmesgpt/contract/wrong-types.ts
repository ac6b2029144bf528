import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { holmesFaults } from './contract.ts';
import { type HolmesFault, isFault, type Path } from './model-check.ts';
import { shapeOf } from './shape.ts';

/** What HolmesGPT must find in an entry before it looks at its configuration. The generated entry has it. */
const REQUIRED = { toolsets: { enabled: true }, mcp_servers: { description: '-' } } as const;
type Section = keyof typeof REQUIRED;

/** The message about a value of a wrong type. An empty value removes a generated one, so it has no type. */
const WRONG_TYPE = /^must be .*, but is (?!empty$)/;

/** The values of a wrong type in one entry. */
function faultsOf(section: Section, name: string, entry: Mapping): HolmesFault[] {
  const document = mergePatch({}, { [section]: { [name]: { ...REQUIRED[section], ...entry } } });
  return holmesFaults(document).filter((each) => isFault(each) && WRONG_TYPE.test(each.message));
}

/** The values of a wrong type in the fields of single backends, under `backends` of a toolset. */
function backendFaults(name: string, { type, backends }: Mapping): HolmesFault[] {
  if (!isMapping(backends)) return [];
  const list = shapeOf(name, type)?.list;
  const depth = list === undefined ? 3 : 5;
  return Object.entries(backends).flatMap(([key, fields]) => {
    const config = list === undefined ? fields : { [list]: [fields] };
    return faultsOf('toolsets', name, { config })
      .filter(({ path }) => path.length > depth)
      .map((each) => {
        const path: Path = ['toolsets', name, 'backends', key, ...each.path.slice(depth)];
        return { ...each, path };
      });
  });
}

/**
 * The values of a wrong type in a change of a generated entry, such as `api_url: 5`. HolmesGPT rejects these whatever the
 * rest of the entry is; what a change lacks may be in the generated entry.
 */
export function wrongTypes(section: Section, name: string, entry: Mapping): HolmesFault[] {
  const { backends: _, ...own } = entry;
  return section === 'toolsets'
    ? [...faultsOf(section, name, own), ...backendFaults(name, entry)]
    : faultsOf(section, name, entry);
}

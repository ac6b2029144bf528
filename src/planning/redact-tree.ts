import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  type Pair,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import {
  isTemplate,
  namesEnvironment,
  namesHeaders,
  namesLogin,
  namesSecret,
} from '../model/redact-names.ts';

/** The content of a part of a document: plain values, login options, or only secrets. */
type Mode = 'plain' | 'login' | 'secret';

/** The scalars of a document, in order of position, and those that are secrets. */
export interface RedactionTargets {
  readonly scalars: readonly Scalar.Parsed[];
  readonly secrets: ReadonlySet<Scalar.Parsed>;
}

/** Flags of common programs whose value is a login or a header. */
const FLAGS = new Set(['-H', '--header', '-u', '--user']);

/** Mappings whose keys are names, which say nothing about the content. */
const ENTRIES = new Set(['toolsets', 'mcp_servers']);

type Node = ParsedNode | null;
type Target = Exclude<ParsedNode, Alias.Parsed>;

function isHarmless(value: unknown): boolean {
  return (
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && (value.trim() === '' || isTemplate(value)))
  );
}

const holdsSecrets = (name: string): boolean =>
  namesHeaders(name) || namesEnvironment(name) || namesSecret(name);

/** Whether a key has no value. */
const isLeftEmpty = (node: Node): boolean =>
  node === null || (isScalar(node) && node.range[0] === node.range[1]);

/** Finds the scalars that are secrets because of their place. Visits each node at most once per mode. */
export function secretNodes(roots: readonly Node[]): RedactionTargets {
  const scalars: Scalar.Parsed[] = [];
  const secrets = new Set<Scalar.Parsed>();
  const anchors = new Map<string, Target>();
  const seen = new Map<Node, Set<Mode>>();

  const target = (node: Node): Target | null => (isAlias(node) ? (anchors.get(node.source) ?? null) : node);
  const textOf = (node: Node): string => {
    const scalar = target(node);
    return isScalar(scalar) ? String(scalar.value) : '';
  };

  const modeOf = (key: string, value: Node, map: ReadonlySet<string>, mode: Mode): Mode => {
    if (mode === 'secret' || namesHeaders(key)) return 'secret';
    if (key === 'value' && (mode === 'login' || map.has('name') || map.has('key') || map.has('header')))
      return 'secret';
    if (isScalar(value)) return namesSecret(key, textOf(value)) ? 'secret' : 'plain';
    if (namesEnvironment(key)) return 'secret';
    if (namesLogin(key)) return 'login';
    return namesSecret(key) ? 'secret' : mode;
  };

  const walkMap = (map: YAMLMap.Parsed, given: Mode, isRoot = false): void => {
    const pairs = map.items as unknown as readonly Pair<ParsedNode, Node>[];
    const keys = new Set(pairs.map(({ key }) => textOf(key)));
    let mode = given;
    for (const { key, value } of pairs) {
      walk(key, isScalar(key) ? 'plain' : mode);
      const name = textOf(key);
      // If the indentation was lost, the secrets may follow at the same level.
      if (isLeftEmpty(value) && holdsSecrets(name)) mode = 'secret';
      if (isRoot && ENTRIES.has(name) && isMap(value)) walk(value, 'plain', walkEntries);
      else walk(value, modeOf(name, target(value), keys, mode));
    }
  };
  const walkEntries = (map: YAMLMap.Parsed): void => {
    for (const { key, value } of map.items as unknown as readonly Pair<ParsedNode, Node>[]) {
      walk(key, 'plain');
      walk(value, isMap(target(value)) ? 'plain' : modeOf(textOf(key), target(value), new Set(), 'plain'));
    }
  };
  const walkSeq = (seq: YAMLSeq.Parsed, mode: Mode): void => {
    let before = '';
    for (const item of seq.items as readonly Node[]) {
      const flag = FLAGS.has(before) || (/^--?[\w-]+$/.test(before) && namesSecret(before));
      walk(item, flag ? 'secret' : mode);
      before = textOf(item);
    }
  };
  const walk = (node: Node, mode: Mode, ofMap: (map: YAMLMap.Parsed, mode: Mode) => void = walkMap): void => {
    const there = target(node);
    if (there === null) return;
    const modes = seen.get(there) ?? new Set();
    if (modes.has(mode)) return;
    const first = modes.size === 0;
    seen.set(there, modes.add(mode));
    if (first && there.anchor !== undefined) anchors.set(there.anchor, there);
    if (isScalar(there)) {
      if (first && there.range[1] > there.range[0]) scalars.push(there);
      if (mode === 'secret' && !isHarmless(there.value)) secrets.add(there);
    } else if (isMap(there)) ofMap(there, mode);
    else walkSeq(there, mode);
  };
  for (const root of roots) {
    anchors.clear();
    walk(root, 'plain', (map, mode) => walkMap(map, mode, true));
  }
  return { scalars, secrets };
}

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
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

/** What a part of a document holds: nothing known, a way to log in, or secrets only. */
type Mode = 'plain' | 'login' | 'secret';

/** The scalars of a document in the order of its text, and which of them are secrets as a whole. */
export interface Found {
  readonly scalars: readonly Scalar.Parsed[];
  readonly secrets: ReadonlySet<Scalar.Parsed>;
}

/** Flags of common programs after which a login or a header follows. */
const FLAGS = new Set(['-H', '--header', '-u', '--user']);

/** The names of entries say nothing of what is in them. */
const ENTRIES = new Set(['toolsets', 'mcp_servers']);

type Node = ParsedNode | null;

function isHarmless(value: unknown): boolean {
  return (
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && (value.trim() === '' || isTemplate(value)))
  );
}

const holdsSecrets = (name: string): boolean =>
  namesHeaders(name) || namesEnvironment(name) || namesSecret(name);

/** A key with nothing at all behind it. */
const isLeftEmpty = (node: Node): boolean =>
  node === null || (isScalar(node) && node.value === null && node.range[0] === node.range[1]);

/** Which scalars of documents are secrets, by where they stand. Each node is looked at once in each mode. */
export function secretNodes(roots: readonly Node[]): Found {
  const scalars: Scalar.Parsed[] = [];
  const secrets = new Set<Scalar.Parsed>();
  const anchors = new Map<string, ParsedNode>();
  const seen = { plain: new Set<Node>(), login: new Set<Node>(), secret: new Set<Node>() };

  const target = (node: Node): Node => (isAlias(node) ? (anchors.get(node.source) ?? null) : node);
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

  const walkMap = (map: YAMLMap.Parsed, given: Mode, depth: number): void => {
    const pairs = map.items as unknown as readonly Pair<ParsedNode, Node>[];
    const keys = new Set(pairs.map(({ key }) => textOf(key)));
    let mode = given;
    for (const { key, value } of pairs) {
      walk(key, isScalar(key) ? 'plain' : mode, depth + 1);
      const name = textOf(key);
      // Somebody lost the indentation: what should be in there may follow it.
      if (isLeftEmpty(value) && holdsSecrets(name)) mode = 'secret';
      const entries = depth === 0 && ENTRIES.has(name) && isMap(value);
      if (entries) walkEntries(value, depth + 1);
      else walk(value, name === '<<' ? mode : modeOf(name, target(value), keys, mode), depth + 1);
    }
  };
  const walkEntries = (map: YAMLMap.Parsed, depth: number): void => {
    if (map.anchor !== undefined) anchors.set(map.anchor, map);
    for (const { key, value } of map.items as unknown as readonly Pair<ParsedNode, Node>[]) {
      walk(key, 'plain', depth + 1);
      walk(
        value,
        isMap(target(value)) ? 'plain' : modeOf(textOf(key), target(value), new Set(), 'plain'),
        depth + 1,
      );
    }
  };
  const walkSeq = (seq: YAMLSeq.Parsed, mode: Mode, depth: number): void => {
    let before = '';
    for (const item of seq.items as readonly Node[]) {
      const flag = FLAGS.has(before) || (/^--?[\w-]+$/.test(before) && namesSecret(before));
      walk(item, flag ? 'secret' : mode, depth + 1);
      before = textOf(item);
    }
  };
  const walk = (node: Node, mode: Mode, depth: number): void => {
    if (node === null) return;
    if (isAlias(node)) {
      if (mode !== 'plain') walk(target(node), mode, depth);
      return;
    }
    if (seen[mode].has(node)) return;
    const first = !seen.plain.has(node) && !seen.login.has(node) && !seen.secret.has(node);
    seen[mode].add(node);
    if (first && node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isScalar(node)) {
      if (first && node.range[1] > node.range[0]) scalars.push(node);
      if (mode === 'secret' && !isHarmless(node.value)) secrets.add(node);
    } else if (isMap(node)) walkMap(node, mode, depth);
    else if (isSeq(node)) walkSeq(node, mode, depth);
  };
  for (const root of roots) {
    anchors.clear();
    walk(root, 'plain', 0);
  }
  return { scalars, secrets };
}

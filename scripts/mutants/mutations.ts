/**
 * The places of a source file that can be mutated, and the file with a switch at each of them.
 * Mutants change what the program does: conditions, boundaries, numbers, single statements, elements. User-visible text is not changed.
 */
import { parseAst } from 'vitest/node';

/** One change at one place. `start` and `end` are the offsets of the text that is replaced. */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Where the switch of a mutation is: around an expression, before a statement, or around an element. */
type Site = 'expression' | 'statement' | 'element' | 'array spread' | 'object spread';

interface Found extends Mutation {
  readonly site: Site;
  /** The range that is switched. It is wider than the change where an optional chain must stay in one piece. */
  readonly host: readonly [start: number, end: number];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const TYPES_WITH_VALUES = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);
const BOUNDARIES = new Map(Object.entries({ '<': '<=', '<=': '<', '>': '>=', '>=': '>' }));
const NEGATIONS = new Map(
  Object.entries({
    '<': '>=',
    '<=': '>',
    '>': '<=',
    '>=': '<',
    '===': '!==',
    '!==': '===',
  }),
);
const ARITHMETIC = new Map(Object.entries({ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '**': '*' }));
const ASSIGNMENTS = new Map(Object.entries({ '??=': '=', '||=': '=', '&&=': '=', '+=': '-=', '-=': '+=' }));
/** Methods whose call can be removed, which leaves the object that they are called on. */
const REMOVABLE = new Set([
  'filter',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'slice',
  'trim',
  'toLowerCase',
]);
const SWAPPED = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    min: 'max',
    max: 'min',
    startsWith: 'endsWith',
    endsWith: 'startsWith',
  }),
);
const TESTED = new Set([
  'IfStatement',
  'ConditionalExpression',
  'WhileStatement',
  'DoWhileStatement',
  'ForStatement',
]);
const LOOPS = new Set(['WhileStatement', 'DoWhileStatement', 'ForStatement']);

/** Finds the mutations of one TypeScript source, in the order of the text. */
class Finder {
  readonly found: Found[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
    this.#visit(parseAst(source, { lang: 'ts' }) as unknown as Node, []);
    this.found.sort((a, b) => a.start - b.start || b.end - a.end || (a.replacement < b.replacement ? -1 : 1));
  }

  #text({ start, end }: Node): string {
    return this.#source.slice(start, end);
  }

  #visit(node: Node, above: readonly Node[]): void {
    if (node.type.startsWith('TS') && !TYPES_WITH_VALUES.has(node.type)) return;
    // A template is user-visible text, and an import declaration has nothing to change.
    if (node.type === 'TemplateLiteral' || node.type === 'ImportDeclaration') return;
    this.#mutate(node, above);
    const path = [...above, node];
    for (const [field, value] of Object.entries(node)) {
      if (field === 'key' && node.computed !== true) continue;
      if (field === 'test' && isTextChoice(node)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) this.#visit(child, path);
    }
  }

  #mutate(node: Node, above: readonly Node[]): void {
    const parent = above.at(-1);
    if (TESTED.has(node.type) && isNode(node.test) && !isTextChoice(node)) this.#test(node, above);
    switch (node.type) {
      case 'LogicalExpression':
        this.#logical(node, parent, above);
        break;
      case 'BinaryExpression':
        this.#binary(node, parent, above);
        break;
      case 'UnaryExpression':
        if (node.operator === '!' && !isTest(node, parent))
          this.#swap(node, this.#text(node.argument as Node), above);
        break;
      case 'Literal':
        this.#literal(node, above);
        break;
      case 'AssignmentExpression':
        this.#operator(node, node.left as Node, node.right as Node, ASSIGNMENTS, above);
        break;
      case 'UpdateExpression': {
        const operator = node.operator === '++' ? '--' : '++';
        const argument = this.#text(node.argument as Node);
        this.#swap(node, node.prefix ? `${operator}${argument}` : `${argument}${operator}`, above);
        break;
      }
      case 'CallExpression':
        this.#call(node, above);
        break;
      case 'ArrayExpression':
        this.#elements(node);
        break;
      case 'SpreadElement':
        if (parent?.type === 'ObjectExpression' && !isChoice(node))
          this.#add('object spread', node.argument as Node);
        break;
      case 'ExpressionStatement':
      case 'ReturnStatement':
      case 'ThrowStatement':
      case 'ContinueStatement':
      case 'BreakStatement':
        this.#statement(node, above);
    }
  }

  /** Replaces the condition with true, and with false. Skips one of the two if the mutation of an operand does the same. */
  #test(node: Node, above: readonly Node[]): void {
    const test = node.test as Node;
    const operator = test.type === 'LogicalExpression' ? test.operator : undefined;
    const path = [...above, node];
    if (operator !== '&&' && !LOOPS.has(node.type)) this.#swap(test, 'true', path);
    if (operator !== '||') this.#swap(test, 'false', path);
  }

  #logical(node: Node, parent: Node | undefined, above: readonly Node[]): void {
    const left = node.left as Node;
    const right = node.right as Node;
    if (node.operator === '??') {
      if (this.#text(right) !== 'undefined') this.#swap(node, this.#text(left), above);
      this.#swap(node, this.#text(right), above);
      return;
    }
    if (parent?.type === 'LogicalExpression' && parent.operator === node.operator && parent.left === node)
      return;
    const operands: Node[] = [];
    for (let each = node; ; each = each.left as Node) {
      operands.unshift(each.right as Node);
      const next = each.left as Node;
      if (next.type !== 'LogicalExpression' || next.operator !== node.operator) {
        operands.unshift(next);
        break;
      }
    }
    const neutral = String(node.operator === '&&');
    for (const { start, end } of operands)
      this.#add('expression', node, { start, end, replacement: neutral }, above);
  }

  #binary(node: Node, parent: Node | undefined, above: readonly Node[]): void {
    const [left, right] = [node.left as Node, node.right as Node];
    this.#operator(node, left, right, BOUNDARIES, above);
    if (!isTest(node, parent)) this.#operator(node, left, right, NEGATIONS, above);
    const isText = [left, right].some(
      (side) => side.type === 'TemplateLiteral' || typeof side.value === 'string',
    );
    if (!isText) this.#operator(node, left, right, ARITHMETIC, above);
  }

  #operator(
    node: Node,
    left: Node,
    right: Node,
    table: ReadonlyMap<string, string>,
    above: readonly Node[],
  ): void {
    const replacement = table.get(String(node.operator));
    if (replacement === undefined) return;
    const start = this.#source.indexOf(String(node.operator), left.end);
    const end = start + String(node.operator).length;
    if (end <= right.start) this.#add('expression', node, { start, end, replacement }, above);
  }

  #literal(node: Node, above: readonly Node[]): void {
    const { value } = node;
    if (typeof value === 'boolean') this.#swap(node, String(!value), above);
    // A comparator can return any number with the right sign.
    const isSign =
      value === 1 &&
      /\? -?1 : |\? -1$|: -?1$/.test(
        this.#source.slice(
          above.findLast((each) => each.type === 'ConditionalExpression')?.start ?? node.start,
          node.end,
        ),
      );
    if (typeof value === 'number' && !isSign)
      this.#swap(node, String(value <= 10 ? value + 1 : value * 10), above);
  }

  #call(node: Node, above: readonly Node[]): void {
    const callee = node.callee as Node;
    if (callee.type !== 'MemberExpression' || callee.computed === true) return;
    const property = callee.property as Node;
    const method = String(property.name);
    const swapped = SWAPPED.get(method);
    if (swapped !== undefined)
      this.#add(
        'expression',
        node,
        { start: property.start, end: property.end, replacement: swapped },
        above,
      );
    // A call that stands alone is removed as a statement.
    if (REMOVABLE.has(method) && above.at(-1)?.type !== 'ExpressionStatement')
      this.#swap(node, this.#text(callee.object as Node), above);
  }

  #elements(node: Node): void {
    for (const element of node.elements as (Node | null)[]) {
      if (element === null || isChoice(element)) continue;
      if (element.type === 'SpreadElement') this.#add('array spread', element.argument as Node);
      else this.#add('element', element);
    }
  }

  /** Removes one statement, unless a condition that is never true does the same. */
  #statement(node: Node, above: readonly Node[]): void {
    const block = above.at(-1);
    const siblings = block?.type === 'BlockStatement' ? (block.body as Node[]) : [node];
    const owner = block?.type === 'BlockStatement' ? above.at(-2) : block;
    const isAll = siblings.length === 1 && owner?.type === 'IfStatement';
    const endsFunction =
      node.type === 'ReturnStatement' && /Function/.test(owner?.type ?? '') && siblings.at(-1) === node;
    if (isAll || endsFunction || /^super\(/.test(this.#text(node))) return;
    this.#add('statement', node, { start: node.start, end: node.end, replacement: '' });
  }

  #swap(node: Node, replacement: string, above: readonly Node[]): void {
    this.#add('expression', node, { start: node.start, end: node.end, replacement }, above);
  }

  #add(site: Site, node: Node, change?: Mutation, above: readonly Node[] = []): void {
    const { start, end } = site === 'expression' ? whole(node, above) : node;
    this.found.push({
      ...(change ?? { start: node.start, end: node.end, replacement: '' }),
      site,
      host: [start, end],
    });
  }
}

/** True for a choice between two user-visible texts: templates, sentences, or a letter as in `tool${count === 1 ? '' : 's'}`. */
function isTextChoice({ type, consequent, alternate }: Node): boolean {
  const isText = (side: unknown): boolean =>
    isNode(side) &&
    (side.type === 'TemplateLiteral' ||
      (typeof side.value === 'string' && (/ /.test(side.value) || side.value.length < 2)));
  return type === 'ConditionalExpression' && isText(consequent) && isText(alternate);
}

/** True if an expression is the whole condition of a statement, which is replaced with true and false anyway. */
function isTest(node: Node, parent: Node | undefined): boolean {
  return parent !== undefined && TESTED.has(parent.type) && parent.test === node;
}

/** True for `...(condition ? some : none)`, whose condition is replaced with true and false. */
function isChoice({ type, argument }: Node): boolean {
  let inside = argument;
  while (isNode(inside) && inside.type === 'ParenthesizedExpression') inside = inside.expression;
  return type === 'SpreadElement' && isNode(inside) && inside.type === 'ConditionalExpression';
}

/** The expression itself, or the optional chain that it begins: `a?.b()` in `a?.b().c`. */
function whole(node: Node, above: readonly Node[]): Node {
  let inside = node;
  for (const outer of above.toReversed()) {
    if (outer.type === 'ChainExpression') return outer;
    const isBeginning = outer.object === inside || outer.callee === inside || outer.expression === inside;
    if (!isBeginning || outer.type === 'ExpressionStatement') break;
    inside = outer;
  }
  return node;
}

/** The mutations of a source file. */
export function findMutations(source: string): readonly Mutation[] {
  return new Finder(source).found;
}

interface Switch {
  readonly site: Site;
  readonly host: readonly [start: number, end: number];
  readonly ids: number[];
  readonly mutations: Mutation[];
}

/**
 * Adds a switch for each mutation to the source: `__mutant(ID)` is true while that mutant is active. `first` is the ID of
 * the first mutation of this file. Line numbers do not change.
 */
export function withSwitches(source: string, first: number): string {
  const switches = new Map<string, Switch>();
  new Finder(source).found.forEach(({ site, host, ...mutation }, at) => {
    const key = `${host.join('-')} ${site}`;
    const one = switches.get(key) ?? { site, host, ids: [], mutations: [] };
    one.ids.push(first + at);
    one.mutations.push(mutation);
    switches.set(key, one);
  });
  const order = [...switches.values()].sort(
    (a, b) => a.host[0] - b.host[0] || b.host[1] - a.host[1] || rank(a) - rank(b),
  );
  const text = render(source, 0, source.length, order);
  return `${text}\nfunction __mutant(id) { return globalThis.__mutants?.(id) ?? false; }\n`;
}

/** A statement's or element's switch goes around the one of the expression with the same range. */
const rank = ({ site }: Switch): number => (site === 'expression' ? 1 : 0);

/** Renders a range with its switches, and removes them from the front of the list. */
function render(source: string, start: number, end: number, rest: Switch[]): string {
  let text = '';
  let at = start;
  for (
    let next = rest[0];
    next !== undefined && next.host[1] <= end && next.host[0] >= start;
    next = rest[0]
  ) {
    rest.shift();
    text += source.slice(at, next.host[0]) + switched(source, next, render(source, ...next.host, rest));
    at = next.host[1];
  }
  return text + source.slice(at, end);
}

function switched(source: string, { site, host, ids, mutations }: Switch, original: string): string {
  const [id] = ids;
  if (site === 'statement') return `{ if (!__mutant(${id})) { ${original} } }`;
  if (site === 'element') return `...(__mutant(${id}) ? [] : [${original}])`;
  if (site === 'array spread') return `(__mutant(${id}) ? [] : ${original})`;
  if (site === 'object spread') return `(__mutant(${id}) ? {} : ${original})`;
  const cases = mutations.map(({ start, end, replacement }, at) => {
    const changed = source.slice(host[0], start) + replacement + source.slice(end, host[1]);
    return `__mutant(${ids[at]}) ? (${changed}) : `;
  });
  return `(${cases.join('')}${original})`;
}

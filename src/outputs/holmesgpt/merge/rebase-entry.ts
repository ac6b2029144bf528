import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { nameOfAddress } from '../../../model/same-url.ts';
import { addressesOf, isAddress, isCommon, type Shape, shapeOf } from '../contract/shape.ts';
import { serverUrl } from '../server-url.ts';
import { own } from '../yaml.ts';
import { fieldsWhere, partsOf } from './join-lists.ts';
import {
  type Context,
  has,
  keysOf,
  listOf,
  mappingOf,
  QUESTIONS,
  rebasedMapping,
  rebasedQuestions,
  type Three,
} from './three-way.ts';

/** A configuration with its backends in a list, also if it has only one, outside a list. */
function listed(config: Mapping, shape: Shape): Mapping {
  const parts = partsOf(config, shape);
  if (shape.name === undefined || parts === undefined || parts.list.length > 0) return config;
  const [address] = addressesOf(parts.beside);
  if (address === undefined) return config;
  return {
    ...fieldsWhere(parts.beside, isCommon),
    [shape.list]: [
      { [shape.name]: nameOfAddress(address), ...fieldsWhere(parts.beside, (...each) => !isCommon(...each)) },
    ],
  };
}

/** Whether a value may be the address of a backend, also in a field that is not known as one. */
const isUrl = (value: unknown): boolean =>
  typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(value);

const changedIn = (base: Mapping, other: Mapping): string[] =>
  keysOf(base, other).filter((key) => !same(base[key], other[key]));

/** Whether one of three versions has another address than the first one. */
const changesPlace = (three: Three<Mapping>, one: Mapping): boolean =>
  changedIn(three[0], one).some((key) => isAddress(key) || three.some((each) => isUrl(each[key])));

/** Merges the configurations of a toolset, whose options are for the address beside them. */
function rebasedConfig(three: Three<Mapping>, shape: Shape | undefined, context: Context): Mapping {
  const [base, edited, now] = three;
  if (same(now, base) || same(edited, base)) return rebasedMapping(three, context);
  if (![edited, now].some((each) => changesPlace(three, each))) return rebasedMapping(three, context);
  if (changedIn(base, edited).every((key) => has(edited, key) && isCommon(key, edited[key])))
    return rebasedMapping(three, context);
  const [from, to] = [addressesOf(base), addressesOf(edited)];
  const isReplaced = from.length > 0 && to.length > 0 && !same(from, to) && !context.isUntouched(now);
  if (shape?.flat !== true || isReplaced) {
    context.lose();
    return now;
  }
  const lists = three.map((each) => listed(each, shape)) as unknown as Three<Mapping>;
  const result = rebasedMapping(lists, context);
  if (same(result, lists[2])) return now;
  return lists[2] === now ? result : withoutGivenName(result, lists[2], shape);
}

/** A configuration in which the only backend of another one, which had no name outside a list, has none either. */
function withoutGivenName(config: Mapping, other: Mapping, { list, name }: Shape): Mapping {
  const [items, [only]] = [listOf(config[list]), listOf(other[list])];
  const bare = (item: unknown): unknown =>
    same(item, only) ? fieldsWhere(mappingOf(item), (field) => field !== name) : item;
  return { ...config, [list]: items.map(bare) };
}

/**
 * Merges an entry of a section.
 * @param hasInstances whether the agent supports several backends per toolset
 */
export function rebasedEntry(
  name: string,
  three: Three<Mapping>,
  hasInstances: boolean,
  context: Context,
): Mapping {
  const [base, edited, now] = three;
  if (same(edited, base)) return now;
  const without = (entry: Mapping): Mapping => fieldsWhere(entry, (field) => field !== 'config');
  if (
    !same(now, base) &&
    [edited, now].some((each) => changesPlace(three.map(without) as unknown as Three<Mapping>, without(each)))
  ) {
    context.lose();
    return now;
  }
  if (isMapping(base.config) && !isMapping(now.config) && !same(edited.config, base.config)) {
    // Its backends are gone, so the changes would be for others.
    context.lose();
    return now;
  }
  if (!isMapping(edited.config) || !isMapping(now.config)) return rebasedMapping(three, context);
  const configs = [mappingOf(base.config), edited.config, now.config];
  const config = rebasedConfig(
    configs as unknown as Three<Mapping>,
    shapeOf(name, own(now, 'type'), hasInstances),
    context,
  );
  const rest = rebasedMapping([without(base), without(edited), without(now)], context);
  if (!has(rest, QUESTIONS) || same(serverUrl(base), serverUrl(edited))) return { ...rest, config };
  // At another address, nothing is discovered, so the list that its author saw counts, too.
  return { ...rest, config, [QUESTIONS]: rebasedQuestions([undefined, edited[QUESTIONS], now[QUESTIONS]]) };
}

/** What tells generated backends from others. */
export function generatedIn(entry: unknown): Pick<Context, 'isGenerated' | 'isUntouched'> {
  const config = mappingOf(own(entry, 'config'));
  const backends = [
    config,
    ...Object.values(config)
      .filter((value) => Array.isArray(value))
      .flat(),
  ];
  const known = new Set(backends.flatMap((item) => (isMapping(item) ? addressesOf(item) : [])));
  const withoutName = (backend: unknown): string =>
    JSON.stringify(fieldsWhere(mappingOf(backend), (field) => field !== 'name' && field !== 'id'));
  const contents = new Set(backends.map(withoutName));
  return {
    isGenerated: (backend) =>
      isMapping(backend) && addressesOf(backend).some((address) => known.has(address)),
    isUntouched: (backend) => contents.has(withoutName(backend)),
  };
}

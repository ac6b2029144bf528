import type { Credential, Credentials } from '../model/credentials.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { nearest } from '../model/nearest.ts';
import { appliesTo, credentialOf } from './credentials.ts';
import { meantNamespace, meantService } from './meant-service.ts';
import { backendReferences } from './override-keys.ts';
import { discoveredTool, type Tool, type ToolKind } from './tools.ts';

/** Maximum keys to compare with all known keys for suggestions. */
const MAX_COMPARISONS = 20;

/** What keys of credentials may refer to. */
interface Known {
  readonly found: readonly DiscoveredService[];
  readonly kinds: ReadonlyMap<string, ToolKind>;
}

const namespacesOf = (found: readonly DiscoveredService[]): readonly string[] =>
  found.map(({ service }) => service.namespace);

/** The problem with unused credentials for one Service. */
function idleService(key: string, { found }: Known, compare: boolean): Omit<Problem, 'where'> {
  const backend = found.find((each) => backendReferences(each).includes(key));
  if (backend !== undefined) {
    const used = displayKey(backend.service);
    return {
      what: `apply to nothing now: the entry point of its backend is ${used}, another Service`,
      fix: `write ${used}, if you trust that Service with them`,
    };
  }
  const meant = compare ? meantService(key, found.flatMap(backendReferences)) : undefined;
  const otherwise = 'they count as soon as that Service is found';
  return {
    what: 'apply to nothing: no backend that is known now has this Service',
    fix: meant === undefined ? otherwise : `did you mean ${meant}? Otherwise ${otherwise}`,
  };
}

/** The problem with unused credentials for a type. */
function idleType(
  type: string,
  { namespaces = [] }: Credential,
  { found, kinds }: Known,
): Omit<Problem, 'where'> {
  if (kinds.size > 0 && !kinds.has(type)) {
    const meant = nearest(type, [...kinds.keys()]);
    return {
      what: 'apply to nothing: there is no detector of this type',
      fix: meant === undefined ? 'write a type, or NAMESPACE/SERVICE' : `did you mean ${meant}?`,
    };
  }
  const places = [
    ...new Set(found.flatMap(({ detector, service }) => (detector === type ? service.namespace : []))),
  ];
  const meant = namespaces.flatMap((each) => meantNamespace(each, places, namespacesOf(found)) ?? [])[0];
  const where = namespaces.includes('*') ? 'anywhere' : `in ${namespaces.join(', ')}`;
  const otherwise = 'they count as soon as one is found';
  return {
    what: `apply to nothing: no ${type} is known ${where} now`,
    fix: meant === undefined ? otherwise : `did you mean the namespace ${meant}? Otherwise ${otherwise}`,
  };
}

/** Namespaces that are probably mistyped in credentials that apply to other namespaces. */
function mistyped(type: string, { namespaces = [] }: Credential, { found }: Known): Omit<Problem, 'where'>[] {
  const places = new Set(
    found.flatMap(({ detector, service }) => (detector === type ? service.namespace : [])),
  );
  const unnamed = [...places].filter((place) => !namespaces.includes(place));
  return namespaces.flatMap((each) => {
    const meant = each === '*' ? undefined : meantNamespace(each, unnamed, namespacesOf(found));
    return meant === undefined
      ? []
      : { what: `name the namespace ${each}, where no ${type} is known`, fix: `did you mean ${meant}?` };
  });
}

/**
 * Reports unused credentials. Credentials of a known backend that is not published, because it is unhealthy or waits for
 * approval, are not reported. Pure.
 * @param tools the tools that may be published
 */
export function idleCredentials(
  credentials: Credentials,
  tools: readonly Tool[],
  known: Known,
): readonly Problem[] {
  const all = [...tools, ...known.found.map(discoveredTool)];
  let compared = 0;
  return Object.entries(credentials).flatMap(([key, given]) => {
    const where = `credentials ${key}`;
    const isService = key.includes('/');
    if (all.some((tool) => (isService ? appliesTo(key, tool) : credentialOf({ [key]: given }, tool))))
      return isService ? [] : mistyped(key, given, known).map((each) => ({ where, ...each }));
    compared += 1;
    return [
      {
        where,
        ...(isService ? idleService(key, known, compared <= MAX_COMPARISONS) : idleType(key, given, known)),
      },
    ];
  });
}

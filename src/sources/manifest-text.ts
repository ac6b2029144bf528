import { load, YAMLException } from 'js-yaml';
import type { Problem } from '../model/discovery.ts';
import type { Interest } from '../model/interest.ts';
import type { Service } from '../model/service.ts';
import { yamlReason } from '../model/unreadable.ts';
import { serviceFromObject } from './service-object.ts';

/** A Service and the place in a file where it was found. */
export interface Found {
  readonly service: Service;
  readonly where: string;
}

interface Part {
  readonly text: string;
  /** The line of the file on which the part begins, from 1. */
  readonly line: number;
}

/** The documents of a YAML stream: a line that begins with `---` can stand nowhere else than between two of them. */
function documentsOf(text: string): Part[] {
  const parts: Part[] = [];
  let start = 0;
  let line = 1;
  for (const separator of text.matchAll(/(?<=^|\n)---(?=[ \t\r\n]|$)/g)) {
    const part = text.slice(start, separator.index);
    parts.push({ text: part, line });
    line += part.split('\n').length - 1;
    start = separator.index + 3;
  }
  parts.push({ text: text.slice(start), line });
  return parts.filter((part) => hasContent(part.text));
}

/** Is there anything but comments and directives? */
function hasContent(text: string): boolean {
  return text.split('\n').some((line) => !/^\s*$|^\s*#|^%/.test(line));
}

/** The Services in a document, those in Lists included. An object that aliases repeat or put into itself counts once. */
function objectsIn(document: unknown): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  const seen = new Set<object>();
  const waiting: unknown[] = [document];
  const add = (items: readonly unknown[], shape: (item: unknown) => unknown): void => {
    for (let at = items.length - 1; at >= 0; at--) waiting.push(shape(items[at]));
  };
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) {
      add(value, (item) => item);
      continue;
    }
    const object = value as Record<string, unknown>;
    if (object.apiVersion === 'v1' && object.kind === 'Service') found.push(object);
    else if (typeof object.kind === 'string' && object.kind.endsWith('List') && Array.isArray(object.items))
      add(object.items, (item) =>
        object.kind === 'ServiceList' && typeof item === 'object' && item !== null
          ? { apiVersion: 'v1', kind: 'Service', ...item }
          : item,
      );
  }
  return found;
}

function yamlProblem(error: YAMLException, part: Part, name: string): Problem {
  const line = part.line + (error.mark?.line ?? 0);
  return {
    where: `${name}:${line}`,
    what: `broken YAML: ${yamlReason(error.reason)}`,
    fix: 'this document is skipped until it is fixed',
  };
}

/** Most aliases in one document: each may repeat all that stands before it. */
const ALIASES = 100;
/** Most broken documents of a file that are described. */
const MOST_BROKEN = 50;

/** What one manifest file holds. */
export interface Manifest {
  readonly services: readonly Found[];
  readonly problems: readonly Problem[];
  /** Whether a document of it is no YAML, as while it is being saved. */
  readonly broken: boolean;
}

/**
 * The Services of one manifest file's text.
 * @param name the file's name, for messages
 */
export function parseManifest(
  text: string,
  name: string,
  defaultNamespace: string,
  interest?: Interest,
): Manifest {
  const services: Found[] = [];
  const problems: Problem[] = [];
  let broken = false;
  const take = (value: unknown, line: number): void => {
    for (const object of objectsIn(value)) {
      const service = serviceFromObject(object, defaultNamespace, interest);
      const where = `${name}:${line}`;
      if (typeof service === 'string')
        problems.push({
          where,
          what: `a Service is skipped: ${service}`,
          fix: 'mend it in the manifest',
        });
      else services.push({ service, where });
    }
  };
  const plain = text.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(plain)) {
    try {
      take(JSON.parse(plain), 1);
      return { services, problems, broken };
    } catch {
      // Not JSON after all: flow-style YAML begins the same way, and its reader says what is wrong with either.
    }
  }
  let faults = 0;
  for (const part of documentsOf(plain)) {
    try {
      take(load(part.text, { maxAliases: ALIASES }), part.line);
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      broken = true;
      problems.push(yamlProblem(error, part, name));
      faults += 1;
      if (faults < MOST_BROKEN) continue;
      problems.push({
        where: `${name}:${part.line}`,
        what: `${MOST_BROKEN} documents are broken, so the rest of the file is not read`,
        fix: 'mend them first',
      });
      break;
    }
  }
  return { services, problems, broken };
}

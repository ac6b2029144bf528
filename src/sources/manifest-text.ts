import { load, YAMLException } from 'js-yaml';
import type { Problem } from '../model/discovery.ts';
import type { Interest } from '../model/interest.ts';
import type { Service } from '../model/service.ts';
import { yamlReason } from '../model/unreadable.ts';
import { serviceFromObject } from './service-object.ts';

/** A Service and its location in a file. */
export interface LocatedService {
  readonly service: Service;
  readonly where: string;
}

interface Part {
  readonly text: string;
  /** The line of the file on which the part starts, from 1. */
  readonly line: number;
}

/** Splits a YAML stream into documents. A line that starts with `---` cannot occur inside a document. */
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

/** Whether a text contains more than comments and directives. */
function hasContent(text: string): boolean {
  return text.split('\n').some((line) => !/^\s*$|^\s*#|^%/.test(line));
}

/** The Service objects in a document, including those in Lists. Objects that are repeated or nested with aliases count once. */
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

/** Maximum number of aliases per document, because each can repeat everything before it. */
const MAX_ALIASES = 100;
/** Maximum number of broken documents that are reported per file. */
const MAX_BROKEN = 50;

/** The contents of one manifest file. */
export interface Manifest {
  readonly services: readonly LocatedService[];
  readonly problems: readonly Problem[];
  /** Whether a document is invalid YAML, for example while the file is being saved. */
  readonly broken: boolean;
}

/**
 * Parses the Services in one manifest file.
 * @param name name of the file, for messages
 */
export function parseManifest(
  text: string,
  name: string,
  defaultNamespace: string,
  interest?: Interest,
): Manifest {
  const services: LocatedService[] = [];
  const problems: Problem[] = [];
  let broken = false;
  const addServices = (value: unknown, line: number): void => {
    for (const object of objectsIn(value)) {
      const service = serviceFromObject(object, defaultNamespace, interest);
      const where = `${name}:${line}`;
      if (typeof service === 'string')
        problems.push({
          where,
          what: `a Service is skipped: ${service}`,
          fix: 'fix it in the manifest',
        });
      else services.push({ service, where });
    }
  };
  const plain = text.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(plain)) {
    try {
      addServices(JSON.parse(plain), 1);
      return { services, problems, broken };
    } catch {
      // Not JSON. Flow-style YAML looks similar, and its parser reports errors in either.
    }
  }
  let faults = 0;
  for (const part of documentsOf(plain)) {
    try {
      addServices(load(part.text, { maxAliases: MAX_ALIASES }), part.line);
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      broken = true;
      problems.push(yamlProblem(error, part, name));
      faults += 1;
      if (faults < MAX_BROKEN) continue;
      problems.push({
        where: `${name}:${part.line}`,
        what: `${MAX_BROKEN} documents are broken, so the rest of the file is not read`,
        fix: 'fix them first',
      });
      break;
    }
  }
  return { services, problems, broken };
}

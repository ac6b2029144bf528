import type { Problem } from '../../../model/discovery.ts';
import type { Omission } from '../../../model/documents.ts';
import type { Mapping } from '../../../model/mapping.ts';
import { certificateProblem } from '../../../planning/conditions/trusted.ts';
import { isHome } from '../../../planning/credentials.ts';
import type { Tool } from '../../../planning/tools.ts';

/** Where a backend is that this file leaves out. */
const ELSEWHERE = 'it is in toolset.json';

/** What to do about a backend that is left out for this cause. `undefined` if there is nothing. */
function fixFor(cause: Omission['cause'], tool: Tool): string | undefined {
  if (cause === 'unsupported' || tool.added === true) return undefined;
  if (cause === 'tenant')
    return `write the id of its tenant, under ${isHome(tool) ? tool.key : tool.detector} in the setting tenants`;
  return isHome(tool)
    ? `if you trust its owner with credentials, add an entry ${tool.key} to the setting credentials that names the agent's environment variables`
    : undefined;
}

/** What a document leaves out, and what people should know about it. */
export class DocumentReport {
  readonly notes: Problem[] = [];
  readonly #omissions = new Map<Tool, Omission>();

  readonly note = (problem: Problem): void => void this.notes.push(problem);

  /** Records a tool that is nowhere in the document, or not in one of its toolsets, without a note. */
  omit(tool: Tool, why: string, cause: Omission['cause'] = 'unsupported', fix?: string): void {
    const { key, tool: name } = tool;
    this.#omissions.set(tool, { key, tool: name, cause, why, ...(fix === undefined ? {} : { fix }) });
  }

  /** The same, with a note. */
  leaveOut(
    tool: Tool,
    why: string,
    cause: Omission['cause'] = 'unsupported',
    fix = fixFor(cause, tool),
  ): void {
    this.notes.push({
      where: `Service ${tool.key}`,
      what: `is left out of custom_toolset.yaml: ${why} (${tool.type})`,
      fix: fix === undefined ? ELSEWHERE : `${ELSEWHERE}; ${fix}`,
    });
    this.omit(tool, why, cause, fix);
  }

  /** Notes that the agent may refuse the certificate of a backend, unless its entry says not to verify it. */
  noteCertificate(tool: Tool, fields: Mapping): void {
    const problem = certificateProblem(tool.verdict);
    if (problem === undefined || fields.verify_ssl === false) return;
    const { why, fix } = problem;
    this.notes.push({ where: `Service ${tool.key}`, what: `HolmesGPT may refuse it: ${why}`, fix });
  }

  isOmitted(tool: Tool): boolean {
    return this.#omissions.has(tool);
  }

  /** The omissions of tools that are nowhere in the document. @param used the tools that are somewhere */
  omissionsOf(used: ReadonlySet<Tool>): readonly Omission[] {
    return [...this.#omissions].flatMap(([tool, omission]) => (used.has(tool) ? [] : [omission]));
  }
}

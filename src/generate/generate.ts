import type { Credentials } from '../model/credentials.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { serviceKey } from '../model/service.ts';
import { type AdmissionPolicy, admit } from './admission.ts';
import { type HolmesOptions, holmesDocument } from './holmes.ts';
import { type ToolKind, toolsOf } from './tools.ts';
import { toolsetJson } from './toolset-json.ts';

export interface GenerateOptions extends AdmissionPolicy {
  readonly credentials: Credentials;
  readonly holmesgptVersion: HolmesOptions['holmesgptVersion'];
  /** What people change and add. */
  readonly overrides: Overrides;
  /** The kinds of backends by type, for tools that people add. */
  readonly kinds: ReadonlyMap<string, ToolKind>;
  /** The configured namespaces: their order decides where the agent takes one backend only. */
  readonly namespaces?: readonly string[];
}

const DEFAULTS: GenerateOptions = {
  credentials: {},
  holmesgptVersion: '0.32',
  overrides: NO_OVERRIDES,
  kinds: new Map(),
};

/**
 * The documents for what was found and what people changed; a service that is known to be unhealthy is left out. Pure:
 * the same services in any order give the same bytes.
 * @throws Error if a document does not fulfil its own schema, which is a bug and never the input's fault
 */
export function generate(
  found: readonly DiscoveredService[],
  options: GenerateOptions = DEFAULTS,
): Generated {
  const { kinds, overrides: _, ...agent } = options;
  const { services, held, overrides, waiting, notes: told } = admit(found, options, options.overrides);
  const { tools, notes } = toolsOf(services, overrides, kinds, held);
  const holmes = holmesDocument(tools, { ...agent, patch: overrides.holmesgpt });
  return {
    documents: { 'toolset.json': toolsetJson(tools), 'custom_toolset.yaml': holmes.text },
    tools: tools.length,
    notes: [...told, ...notes, ...holmes.notes],
    waiting: waiting.map(({ service }) => serviceKey(service)),
    held: held.map(({ service }) => serviceKey(service)),
  };
}

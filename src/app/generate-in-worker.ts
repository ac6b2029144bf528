import { deserialize, serialize } from 'node:v8';
import { detect } from '../detection/detect.ts';
import type { DetectOptions } from '../detection/owner.ts';
import type { Rules } from '../detection/rules.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import type { Service } from '../model/service.ts';
import { yieldEvery } from '../model/yield-every.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { GenerateAnswer } from '../server/api.ts';

/** A serialized value. Bytes are copied to a worker much faster than objects. */
type Packed = Uint8Array;

/** The services of a request, and the rules to detect them with. */
export interface DescribedServices {
  readonly services: readonly Service[];
  readonly rules: Packed;
  readonly detection: DetectOptions;
}

/** The input for generating documents. It is copied to the worker thread. */
export interface GenerateTask {
  readonly kind: 'generate';
  readonly from: DescribedServices | readonly Packed[];
  readonly options: GenerateOptions;
}

const NOT_PROBED = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: 'not probed',
  steps: [],
} as const;

const packed = new WeakMap<Rules, Packed>();

/** Serializes rules. The result is cached. */
export function packRules(rules: Rules): Packed {
  const bytes = packed.get(rules) ?? serialize(rules);
  packed.set(rules, bytes);
  return bytes;
}

/** Maximum time to serialize without yielding to the event loop, in milliseconds. */
const MAX_SLICE_MS = 20;

/** Serializes services one by one, because the tools of all MCP servers are too much for one turn of the event loop. */
export async function packServices(services: readonly DiscoveredService[]): Promise<Packed[]> {
  const breathe = yieldEvery(MAX_SLICE_MS);
  const result: Packed[] = [];
  for (const service of services) {
    result.push(serialize(service));
    await breathe();
  }
  return result;
}

function generated({ from, options }: GenerateTask): Generated {
  if (!('services' in from))
    return generate(
      from.map((service) => deserialize(service) as DiscoveredService),
      options,
    );
  const { candidates, problems } = detect(from.services, deserialize(from.rules) as Rules, from.detection);
  const result = generate(
    candidates.map((candidate) => ({ ...candidate, verdict: NOT_PROBED })),
    options,
  );
  return { ...result, notes: [...problems, ...result.notes] };
}

/**
 * Runs in the worker thread: detects described services, and generates the documents, whole.
 * @returns the API's response, as JSON in UTF-8, so that the event loop handles none of its text
 */
export function generateInWorker(task: GenerateTask): Uint8Array<ArrayBuffer> {
  const { documents, tools, notes, waiting } = generated(task);
  const answer: GenerateAnswer = {
    documents: OUTPUTS.whole(documents),
    tools: tools.length,
    notes: [...notes],
    waiting: [...waiting],
  };
  return new TextEncoder().encode(JSON.stringify(answer));
}

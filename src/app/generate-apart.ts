import { deserialize, serialize } from 'node:v8';
import { detect } from '../detection/detect.ts';
import type { DetectOptions } from '../detection/owner.ts';
import type { Rules } from '../detection/rules.ts';
import { breather } from '../model/breather.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import type { Service } from '../model/service.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';

/** Something as bytes, which are copied to a thread much faster than the thing itself. */
type Packed = Uint8Array;

/** Services that a client describes, and how to detect what they are. */
export interface DescribedServices {
  readonly services: readonly Service[];
  readonly rules: Packed;
  readonly detection: DetectOptions;
}

/** What to generate documents from. It is copied to the worker thread. */
export interface GenerateQuestion {
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

/** Packs rules, once for each set of them. */
export function packRules(rules: Rules): Packed {
  const bytes = packed.get(rules) ?? serialize(rules);
  packed.set(rules, bytes);
  return bytes;
}

/** Longest time for which services are packed without a turn of the event loop, in milliseconds. */
const SLICE = 20;

/** Packs services one by one: all tools of all MCP servers are too much for one turn of the event loop. */
export async function packServices(services: readonly DiscoveredService[]): Promise<Packed[]> {
  const breathe = breather(SLICE);
  const result: Packed[] = [];
  for (const service of services) {
    result.push(serialize(service));
    await breathe();
  }
  return result;
}

/** Answers in the worker thread: detects what is described, and generates the documents. */
export function generateApart({ from, options }: GenerateQuestion): Generated {
  if (!('services' in from))
    return generate(
      from.map((service) => deserialize(service) as DiscoveredService),
      options,
    );
  const { candidates, problems } = detect(from.services, deserialize(from.rules) as Rules, from.detection);
  const generated = generate(
    candidates.map((candidate) => ({ ...candidate, verdict: NOT_PROBED })),
    options,
  );
  return { ...generated, notes: [...problems, ...generated.notes] };
}

import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import { type AdmissionPolicy, admit } from './admission.ts';
import { byPrecedence, type Limited, type Limits, withinCounts } from './budget.ts';
import { type ToolKind, toolsOf } from './tools.ts';

/** What the limits on tools and texts of a namespace leave of what was found, without what people wrote. Pure. */
export function limitedTools(
  found: readonly DiscoveredService[],
  options: AdmissionPolicy & Limits & { readonly kinds: ReadonlyMap<string, ToolKind> },
): Limited {
  const { services } = admit(found, options, NO_OVERRIDES);
  const { tools } = toolsOf(services, NO_OVERRIDES, options.kinds);
  return withinCounts(byPrecedence(tools, new Set()), options);
}

import type { Approval, DiscoveredService } from '../../model/discovery.ts';
import { displayKey } from '../../model/key.ts';
import type { Overrides } from '../../model/overrides.ts';
import type { InForce, Questions } from '../../outputs/output.ts';
import { OUTPUTS } from '../../outputs/registry.ts';
import { whyReadOnlyIsIgnored, withTrustedReadOnly } from '../../planning/admission.ts';

/** Why the agent asks before each tool of an MCP server, also before read-only ones; `undefined` if it does not. */
export const whyAsked = (
  found: DiscoveredService,
  approval: Approval | undefined,
  overrides: Overrides,
  questions: Questions | undefined,
): string | undefined => {
  const { tools = [] } = found.verdict;
  if (questions !== undefined && !tools.every(({ name }) => questions.asksBefore(name))) return undefined;
  return (
    (approval && whyReadOnlyIsIgnored(found, approval, overrides)) ??
    OUTPUTS.whyAsksBeforeEach(displayKey(found.service), found.verdict, overrides)
  );
};

/** Before which tools of an MCP server the agent asks. `undefined` for other backends. */
export function questionsAbout(
  found: DiscoveredService,
  approval: Approval,
  overrides: Overrides,
  { lists }: InForce,
): Questions | undefined {
  if (found.mcp !== true) return undefined;
  const { verdict } = withTrustedReadOnly(found, approval, overrides);
  return OUTPUTS.questionsOf(displayKey(found.service), verdict, overrides, lists);
}

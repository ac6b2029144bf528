import { mappingOf } from '../../../model/mapping.ts';

/** The spellings of `true` that HolmesGPT accepts. Source: https://docs.pydantic.dev/latest/concepts/conversion_table/ */
const YES = /^(1|on|t|true|y|yes)$/i;

const isYes = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'string' && YES.test(value));

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** What an unreadable list of tools before which the agent asks becomes: all tools. */
const ALL_TOOLS: readonly string[] = ['*'];

/** What an entry forbids. */
export interface Restrictions {
  readonly enabled?: false;
  readonly approval_required_tools?: readonly string[];
}

/**
 * What an entry forbids: a mistake elsewhere in it must not make its toolset or its tools available, and what forbids may
 * itself have the mistake.
 */
export function restrictionsIn(entry: unknown): Restrictions {
  const { enabled, approval_required_tools: asks } = mappingOf(entry);
  const isList = Array.isArray(asks) && asks.every((each) => typeof each === 'string');
  return {
    ...(isGiven(enabled) && !isYes(enabled) ? { enabled: false } : {}),
    ...(isGiven(asks) ? { approval_required_tools: isList ? asks : ALL_TOOLS } : {}),
  };
}

/** Whether an entry is switched off. */
export const isSwitchedOff = (entry: unknown): boolean => restrictionsIn(entry).enabled === false;

/** Conditions of backends in the API. */
import * as z from 'zod';
import {
  CONDITION_REASONS,
  CONDITION_STATUSES,
  CONDITION_TYPES,
  type Condition,
} from '../model/condition.ts';
import { time } from './schema-parts.ts';

export const condition = z.object({
  type: z.enum(CONDITION_TYPES),
  status: z.enum(CONDITION_STATUSES),
  reason: z.enum([...new Set(Object.values(CONDITION_REASONS).flat())]),
  message: z.string().describe('Why the condition has this status, and what to do about it.'),
  lastTransitionTime: time.describe('When the status last changed.'),
});

export type ConditionJson = z.infer<typeof condition>;

export const conditionJson = ({ lastTransitionTime, ...condition }: Condition): ConditionJson => ({
  ...condition,
  lastTransitionTime: lastTransitionTime.toISOString(),
});

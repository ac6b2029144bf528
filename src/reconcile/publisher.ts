import type { Plan, Published } from '../model/published.ts';

/** Where toolsets are published. */
export interface Publisher {
  /** For messages: which ConfigMap or file. */
  readonly target: string;
  /** What is published there now; nothing if there is none. */
  read(signal: AbortSignal): Promise<Published | undefined>;
  /** Carries a plan out; does nothing when the plan says so. Only our own keys are written. */
  apply(plan: Plan, now: Date, signal: AbortSignal): Promise<void>;
}

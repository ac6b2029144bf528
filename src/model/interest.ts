import type { ServicePort } from './service.ts';

/** What rules look at in a Service; all else of one that holds much is not kept. */
export interface Interest {
  readonly labels: ReadonlySet<string>;
  readonly selector: ReadonlySet<string>;
  readonly annotations: (key: string) => boolean;
  /** Whether a rule names the port by number, name or protocol. */
  readonly port: (port: ServicePort) => boolean;
}

/** For those who have no rules: every annotation counts, and no port before another. */
export const ANY_INTEREST: Interest = {
  labels: new Set(),
  selector: new Set(),
  annotations: () => true,
  port: () => false,
};

import type { ServicePort } from './service.ts';

/** The parts of a Service that rules use. Other parts of a very large Service are dropped. */
export interface Interest {
  readonly labels: ReadonlySet<string>;
  readonly selector: ReadonlySet<string>;
  readonly annotations: (key: string) => boolean;
  /** Whether a rule names the port by number, name or protocol. */
  readonly port: (port: ServicePort) => boolean;
}

/** Without rules: all annotations count, and no port has precedence. */
export const ANY_INTEREST: Interest = {
  labels: new Set(),
  selector: new Set(),
  annotations: () => true,
  port: () => false,
};

import { A, B, ours, type Series } from './installation.ts';

/** An alert that fires. */
export interface Firing {
  /** Beside `severity`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
}

export interface AlertCase {
  readonly name: string;
  /** What is other than in an installation in which all is well. */
  readonly change: Series;
  /** When it is looked at; an hour after the start unless given. */
  readonly at?: string;
  /** Alerts that fire then; no other one may. */
  readonly fires: Readonly<Record<string, readonly Firing[]>>;
}

/** The same for both replicas. */
export const both = (name: string, values: string, more = ''): Series => ({
  [ours(name, `${A}${more}`)]: values,
  [ours(name, `${B}${more}`)]: values,
});

export const INSTALLATION = { namespace: 'ops', job: 'toolset' };
export const LEADER = { ...INSTALLATION, instance: 'a' };
export const FOLLOWER = { ...INSTALLATION, instance: 'b' };

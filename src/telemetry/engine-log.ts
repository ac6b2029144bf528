import type { EngineEvent } from '../controller/events.ts';
import { agentLog } from './engine-log/agent.ts';
import { configurationLog } from './engine-log/configuration.ts';
import { decisionLog } from './engine-log/decisions.ts';
import { discoveryLog } from './engine-log/discovery.ts';
import { driftLog } from './engine-log/drift.ts';
import { publicationLog } from './engine-log/publication.ts';
import { dispatcher } from './event-handlers.ts';
import type { Logger } from './logger.ts';

const TABLES = [discoveryLog, publicationLog, driftLog, decisionLog, configurationLog, agentLog];

/**
 * Logs engine events: changes only, each problem once while it lasts, and a failure that is retried once a minute. Lines
 * about a target other than the home target have its id in the field `target`.
 * @param now a monotonic clock, in milliseconds
 */
export function engineLog(
  log: Logger,
  now: () => number = () => performance.now(),
): (event: EngineEvent) => void {
  const linesBy = (logger: Logger) => dispatcher(TABLES.map((table) => table(logger, now)));
  const home = linesBy(log);
  const otherOf = (logger: Logger) => ({ log: logger, write: linesBy(logger) });
  const others = new Map<string, ReturnType<typeof otherOf>>();
  return (event) => {
    const { targetId } = event;
    if (targetId === undefined) {
      home(event);
      return;
    }
    const other = others.get(targetId) ?? otherOf(log.child({ target: targetId }));
    others.set(targetId, other);
    // A child keeps the level that its parent had when it was made.
    other.log.level = log.level;
    other.write(event);
  };
}

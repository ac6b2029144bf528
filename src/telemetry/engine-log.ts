import type { EngineEvent } from '../controller/events.ts';
import { agentLog } from './engine-log/agent.ts';
import { configurationLog } from './engine-log/configuration.ts';
import { decisionLog } from './engine-log/decisions.ts';
import { discoveryLog } from './engine-log/discovery.ts';
import { driftLog } from './engine-log/drift.ts';
import { publicationLog } from './engine-log/publication.ts';
import { dispatcher } from './event-handlers.ts';
import type { Logger } from './logger.ts';

/** Logs engine events: changes only, and each problem once while it lasts. */
export function engineLog(log: Logger): (event: EngineEvent) => void {
  const tables = [discoveryLog, publicationLog, driftLog, decisionLog, configurationLog, agentLog];
  return dispatcher(tables.map((table) => table(log)));
}

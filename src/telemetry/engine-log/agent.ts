import type { AgentOutcome } from '../../controller/events.ts';
import { problemLine } from '../../model/discovery.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';
import { messageOf, seconds, stackOf } from './fields.ts';

type Fields = Readonly<Record<string, unknown>>;
type OutcomeOf<K extends AgentOutcome['kind']> = Extract<AgentOutcome, { kind: K }>;
type Handlers = {
  readonly [K in AgentOutcome['kind']]: (outcome: OutcomeOf<K>, log: Logger, fields: Fields) => void;
};

const warn = ({ problem }: OutcomeOf<'agent-refused' | 'agent-note'>, log: Logger, fields: Fields): void =>
  log.warn(fields, problemLine(problem));

const HANDLERS: Handlers = {
  'agent-written': ({ target, learned }, log, fields) =>
    log.info(
      fields,
      learned
        ? `${target} was written; what somebody had changed there stays and wins`
        : `${target} was written`,
    ),
  'agent-restarted': ({ target }, log, fields) =>
    log.info(fields, `${target} was restarted, so that it reads the toolset`),
  'agent-reloaded': ({ target }, log, fields) =>
    log.info(fields, `${target} was told to read the toolset again`),
  'agent-reload-delayed': ({ target, dueIn }, log, fields) =>
    log.info(
      { ...fields, retry_in: seconds(dueIn) },
      `${target} reads the toolset again later, so as not to be disturbed too often`,
    ),
  'agent-refused': warn,
  'agent-note': warn,
  'agent-failed': ({ error, retryIn }, log, fields) =>
    log.error(
      { ...fields, retry_in: seconds(retryIn), ...stackOf(error) },
      `HolmesGPT was not told of the toolset: ${messageOf(error)}`,
    ),
};

/** Logs what was done for the agent. */
export const agentLog = (log: Logger): EventHandlers => ({
  agent({ outcome, cycle }) {
    const handle = HANDLERS[outcome.kind] as (outcome: AgentOutcome, log: Logger, fields: Fields) => void;
    handle(outcome, log, { component: 'agent', cycle });
  },
});

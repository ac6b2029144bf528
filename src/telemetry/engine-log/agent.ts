import type { FollowOutcome } from '../../controller/events.ts';
import { problemLine } from '../../model/discovery.ts';
import type { EventHandlers } from '../event-handlers.ts';
import { FailureStreak } from '../failure-streak.ts';
import type { Logger } from '../logger.ts';
import { messageOf, seconds, someOf, stackOf } from './fields.ts';

type Fields = Readonly<Record<string, unknown>>;
type OutcomeOf<K extends FollowOutcome['kind']> = Extract<FollowOutcome, { kind: K }>;
type Handler<O> = (outcome: O, log: Logger, fields: Fields, isDue: boolean) => void;
type Handlers = { readonly [K in FollowOutcome['kind']]: Handler<OutcomeOf<K>> };

const warn = ({ problem }: OutcomeOf<'agent-refused' | 'agent-note'>, log: Logger, fields: Fields): void =>
  log.warn(fields, problemLine(problem));

const HANDLERS: Handlers = {
  'agent-written': ({ target, learned, isReplaced = false }, log, fields) => {
    const about = isReplaced
      ? '; another file was put in place of custom_toolset.yaml, so only what it has counts as written by hand, which changes'
      : '; manual edits were kept, and take precedence';
    log.info(fields, `${target} was written${learned === undefined ? '' : `${about}${someOf(learned)}`}`);
  },
  'agent-restarted': ({ target }, log, fields) =>
    log.info(fields, `${target} was restarted to reload the toolset`),
  'agent-reloaded': ({ target }, log, fields) =>
    log.info(fields, `${target} was asked to reload the toolset`),
  'agent-reload-delayed': ({ target, dueIn }, log, fields) =>
    log.info(
      { ...fields, retry_in: seconds(dueIn) },
      `the agent (${target}) reloads the toolset later: when its Pods see the changed file, and at most once in the minimum reload interval`,
    ),
  'agent-refused': warn,
  'agent-note': warn,
  'agent-failed': ({ error, retryIn }, log, fields, isDue) =>
    log[isDue ? 'error' : 'debug'](
      { ...fields, retry_in: seconds(retryIn), ...stackOf(error) },
      `the agent was not updated: ${messageOf(error)}`,
    ),
};

/** Logs the actions of the follower. */
export function agentLog(log: Logger, now: () => number): EventHandlers {
  const failed = new FailureStreak(now);
  /** Failures since the agent last had what is published. */
  let failures = 0;
  return {
    agent({ outcome, cycle }) {
      const isFailure = outcome.kind === 'agent-failed';
      if (isFailure) failures += 1;
      const isDue = !isFailure || failed.add(messageOf(outcome.error));
      if (!isFailure) failed.end();
      const handle = HANDLERS[outcome.kind] as Handler<FollowOutcome>;
      handle(outcome, log, { component: 'agent', cycle }, isDue);
    },
    'agent-state'({ state, before, cycle }) {
      if (state === undefined || state.problem !== undefined) return;
      if (before?.problem !== undefined) {
        const later = state.reloadsLater === true ? ', and reloads it later' : '';
        log.info(
          { component: 'agent', cycle, failures },
          `the agent has the published toolset again${later}`,
        );
      }
      failures = 0;
    },
  };
}

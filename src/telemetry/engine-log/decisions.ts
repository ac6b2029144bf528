import { countOf, isOrAre } from '../../model/count-of.ts';
import { OVERRIDES_KEY } from '../../model/documents.ts';
import { whatStays } from '../../model/what-stays.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';
import { seconds, someOf } from './fields.ts';

const component = 'reconciliation';

/** Logs why the published tools differ from the discovered backends: overrides, held removals, rollbacks. */
export const decisionLog = (log: Logger): EventHandlers => ({
  'overrides-invalid'({ cycle, faults, tools }) {
    log.warn(
      { component, cycle, override_key: OVERRIDES_KEY },
      `overrides.yaml cannot be used: ${faults}; ${whatStays(tools)}`,
    );
  },
  'overrides-mended'({ cycle }) {
    log.info({ component, cycle }, 'overrides.yaml is valid again');
  },
  'removal-held'({ cycle, tools, retryIn }) {
    log.warn(
      { component, cycle, tools, retry_in: seconds(retryIn) },
      `${countOf(tools.length, 'tool')} would be removed, because ${tools.length === 1 ? 'it is' : 'they are'} gone, unusable or beyond a limit. ${tools.length === 1 ? 'It stays' : 'They stay'} published for now; everything else was updated`,
    );
  },
  'held-removed'({ cycle, tools, allowed }) {
    log.warn(
      { component, cycle, tools },
      `${countOf(tools.length, 'tool')} that ${isOrAre(tools.length) === 'is' ? 'was' : 'were'} held ${isOrAre(tools.length)} removed, because ${allowed ? 'the annotation kubernaut.io/allow-removal allowed it' : `${tools.length === 1 ? 'its hold is' : 'their hold is'} over`}${someOf(tools)}`,
    );
  },
  'rolled-back'({ cycle, to, faults }) {
    log.error(
      { component, cycle, revision: to, faults },
      `the published documents were unusable when they were read back; rolled back to revision ${to}`,
    );
  },
  rollback({ cycle, to, holds, removed, revoked, accepted }) {
    log[holds ? 'warn' : 'info'](
      { component, cycle, revision: to },
      holds
        ? `the rollback to revision ${to} holds until the inputs change, or until rollback --end${accepted === true ? '; it publishes what --allow-unapproved accepted' : ''}`
        : removed === true
          ? `somebody ended the rollback to revision ${to}`
          : revoked === undefined
            ? 'the inputs changed, so the rollback ended'
            : `the rollback to revision ${to} ended, because of something that it published: ${revoked}`,
    );
  },
});

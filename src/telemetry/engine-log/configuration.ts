import { numberedLines } from '../../model/numbered-lines.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';

const component = 'configuration';

/** Logs configuration changes. */
export const configurationLog = (log: Logger): EventHandlers => ({
  reconfigured({ changes }) {
    log.info({ component, changes }, `the configuration changed: ${changes.join(', ')}`);
  },
  'configuration-refused'({ error }) {
    log.error(
      { component, errors: error.message.split('\n') },
      `the configuration cannot be used, and the previous one stays in force: ${numberedLines(error.message)}`,
    );
  },
  'configuration-mended'() {
    log.info({ component }, 'the configuration is valid again');
  },
});

import type { Prober } from './prober.ts';

/** The route `none`: no probes, so health is unknown. */
export const noProber: Prober = {
  probe: () =>
    Promise.resolve({
      health: 'unknown',
      authRequired: false,
      proof: 'unproven',
      reason: 'not probed',
      steps: [],
    }),
};

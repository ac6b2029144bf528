/**
 * How many times as long the random and long tests run: `TEST_SCALE=20 npm run test:all` is what runs at night. Each still
 * finds a broken line at 1, which is the default; more finds what is rare or slow.
 */
export const SCALE = Math.max(1, Number(process.env.TEST_SCALE ?? 1));

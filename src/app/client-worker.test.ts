import { expect, onTestFinished, test, vi } from 'vitest';
import { SMALL } from '../model/yaml-document.ts';
import { checkText } from '../outputs/check-text.ts';
import { ClientWorker, type ClientWorkerOptions, TaskRejected } from './client-worker.ts';

function textChecks(options: ClientWorkerOptions = {}): ClientWorker {
  const checks = new ClientWorker(options);
  onTestFinished(() => checks.close());
  return checks;
}

/** A worker with this program. */
const worker = (program: string): URL => new URL(`data:text/javascript,${encodeURIComponent(program)}`);
const PORT = "import { parentPort } from 'node:worker_threads';";
/** Answers with the text itself when released. */
const ECHO = worker(`${PORT} parentPort.on('message', ({ text }) => {
  if (text === 'loop') for (;;);
  if (text === 'eat') { const all = []; for (;;) all.push([...'x'.repeat(1000)]); }
  if (text === 'throw') throw new Error('a bug');
  if (text === 'die') setTimeout(() => process.exit(), 10);
  parentPort.postMessage({ faults: [], more: 0, refused: text === 'no' });
});`);

test.each(['overrides', 'holmesgpt', 'toolset-json'] as const)(
  'the worker reports %s like the same check here',
  async (kind) => {
    const checks = textChecks();
    for (const text of ['', 'a: [1', 'tools: 5\n', '{"tools":[{}]}'])
      expect(await checks.check(kind, text, 'ann')).toEqual(checkText(kind, text, SMALL));
  },
);

test('each client has one text at a time, and the number of clients is limited', async () => {
  const checks = textChecks({ file: ECHO, clients: 2 });
  const first = [checks.check('overrides', 'no', 'ann'), checks.check('overrides', '', 'bob')];
  await expect(checks.check('overrides', '', 'ann')).rejects.toMatchObject({ reason: 'client' });
  await expect(checks.check('overrides', '', 'eve')).rejects.toMatchObject({ reason: 'busy' });
  expect((await Promise.all(first)).map(({ refused }) => refused)).toEqual([true, false]);
  expect(await checks.check('overrides', 'no', 'ann')).toMatchObject({ refused: true });
});

test('the client that used the worker least is next, and takes the place of the one that used it most', async () => {
  const clock = { now: 0 };
  const checks = textChecks({ file: ECHO, clients: 3, now: () => clock.now });
  const done: string[] = [];
  const run = (client: string, cost = 0, expected = 0): Promise<unknown> => {
    const createTask = async () => {
      clock.now += cost;
      return { kind: 'check', format: 'overrides', text: '' } as never;
    };
    return checks.generate(createTask, client, expected).then(
      () => done.push(client),
      ({ reason }: TaskRejected) => done.push(`${client} ${reason}`),
    );
  };
  await Promise.all([run('heavy', 40, 10), run('heavier', 80, 20)]);
  await Promise.all([run('running', 20), run('heavier'), run('heavy'), run('light'), run('lighter')]);
  expect(done).toEqual(['heavy', 'heavier', 'heavier busy', 'heavy busy', 'running', 'light', 'lighter']);
  done.length = 0;
  await Promise.all([run('running', 20), run('heavier'), run('heavy')]);
  expect(done).toEqual(['running', 'heavy', 'heavier']);
  // Others that used as little do not displace each other.
  await Promise.all([run('new', 20), run('newer'), run('newest'), run('last')]);
  expect(done.slice(3)).toEqual(['last busy', 'new', 'newer', 'newest']);
  // What was used long ago counts less.
  done.length = 0;
  clock.now += 10 * 60_000;
  await run('recent', 1);
  await Promise.all([run('running', 1), run('recent'), run('heavier')]);
  expect(done).toEqual(['recent', 'running', 'heavier', 'recent']);
  // What a task will take counts before it ran.
  done.length = 0;
  await Promise.all([run('running', 1), run('first', 0, 900), run('second', 0, 900), run('recent', 0, 1)]);
  expect(done).toEqual(['second busy', 'running', 'recent', 'first']);
});

test('many small tasks wait together, and large ones make room for them', async () => {
  const checks = textChecks({ file: ECHO, queued: 100 });
  const done: string[] = [];
  const check = (client: string, size: number): Promise<unknown> =>
    checks.check('overrides', ' '.repeat(size * 256), client).then(
      () => done.push(client),
      ({ reason }: TaskRejected) => done.push(`${client} ${reason}`),
    );
  const small = Array.from({ length: 50 }, (_, index) => check(`${index}`, 1));
  await Promise.all([check('large', 45), check('larger', 60), ...small, check('last', 20)]);
  expect(done.filter((each) => each.includes('busy'))).toEqual(['larger busy', 'large busy']);
  expect(done).toHaveLength(53);
});

test.each([
  ['loop', /more than 0\.2 s/],
  ['eat', /more than 16 MiB of memory/],
])('a text over the limits (%s) is rejected, and the next one is checked', async (text, message) => {
  const longest = text === 'loop' ? 200 : 60_000;
  const checks = textChecks({ file: ECHO, longest, heap: 16 });
  const refused = checks.check('overrides', text, 'eve').catch((error: unknown) => error);
  expect(await refused).toBeInstanceOf(TaskRejected);
  expect(await refused).toMatchObject({ reason: 'costly', message: expect.stringMatching(message) });
  const patient = textChecks({ file: ECHO });
  expect(await patient.check('overrides', '', 'ann')).toMatchObject({ refused: false });
  if (text === 'eat') expect(await checks.check('overrides', '', 'ann')).toMatchObject({ refused: false });
});

test('a bug in the worker is thrown, and the next text is checked', async () => {
  const checks = textChecks({ file: ECHO });
  await expect(checks.check('overrides', 'throw', 'ann')).rejects.toThrow('a bug');
  expect(await checks.check('overrides', '', 'ann')).toMatchObject({ refused: false });
});

test('a worker that dies between two texts is replaced at once', async () => {
  const checks = textChecks({ file: ECHO, longest: 60_000 });
  await checks.check('overrides', 'die', 'ann');
  await vi.waitUntil(() => !checks.isRunning);
  expect(await checks.check('overrides', '', 'ann')).toMatchObject({ refused: false });
});

test('many texts in one worker leave no listeners behind', async () => {
  const checks = textChecks({ file: ECHO });
  const warnings: Error[] = [];
  const warn = (warning: Error): number => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  for (let n = 0; n < 20; n++) await checks.check('overrides', '', 'ann');
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test('the worker ends when it is idle, and another one starts', async () => {
  const checks = textChecks({ file: ECHO, idle: 0 });
  for (let time = 0; time < 2; time++) {
    expect(await checks.check('overrides', '', 'ann')).toMatchObject({ refused: false });
    await expect.poll(() => checks.isRunning).toBe(false);
  }
});

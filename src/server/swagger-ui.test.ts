import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createApp, listen } from './app.ts';
import { pageFile } from './page-files.ts';
import { page } from './swagger-ui.ts';

async function started() {
  let time = 0;
  const app = await createApp({
    log: pino({ level: 'silent' }),
    component: 'api_server',
    answered: () => {},
    routes: (each) => page(() => time)(each),
  });
  onTestFinished(() => app.close());
  const url = `http://127.0.0.1:${await listen(app, { host: '127.0.0.1', port: 0 })}`;
  const wait = (milliseconds: number): void => {
    time += milliseconds;
  };
  return { url, wait };
}

test.each([
  ['/docs', 'text/html; charset=utf-8', undefined],
  ['/docs/start.js', 'text/javascript; charset=utf-8', undefined],
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8', 'swagger-ui.css'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8', 'swagger-ui-bundle.js'],
])('%s arrives whole, each time', async (path, type, name) => {
  const { url } = await started();
  for (let n = 0; n < 2; n++) {
    const response = await fetch(url + path);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    expect(bytes.equals(name === undefined ? bytes : await pageFile(name))).toBe(true);
  }
});

test('an address gets a burst of them, and then two per second', async () => {
  const { url, wait } = await started();
  const statuses = async (many: number): Promise<number> => {
    const all = await Promise.all(Array.from({ length: many }, () => fetch(`${url}/docs/start.js`)));
    return all.filter(({ status }) => status === 200).length;
  };
  expect(await statuses(40)).toBe(30);
  wait(1_000);
  expect(await statuses(5)).toBe(2);
  const refused = await fetch(`${url}/docs`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
});

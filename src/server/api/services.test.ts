import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { passEvent } from '../../../test/fixtures/unit/pass-event.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { ReadModel } from '../../controller/read-model.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { api, type Backing } from '../api.ts';
import { createApp } from '../app.ts';

const { log } = createLogger({ logLevel: 'error', logFormat: 'json' }, { write: () => {} });

async function setting(...names: string[]) {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const services = names.map((name) => discovered(service(name, { labels: { app: 'loki' }, ports: [3100] })));
  readModel.apply(passEvent(services));
  const backing = { readModel, types: () => ['loki'] } as unknown as Backing;
  const routes = api(backing, log, async () => true);
  const app = await createApp({ log, component: 'api_server', answered: () => {}, routes });
  return async (url: string) => (await app.inject({ url })).json();
}

test('pages have each backend once, even if its preferred Service is not its entry point', async () => {
  // Discovery lists backends by their preferred Services, and two of these failed.
  const get = await setting('m', 'z', 'a', 'b');
  const seen: string[] = [];
  let next: string | null = '/api/v1/services?limit=1';
  while (next !== null) {
    const page: { services: { name: string }[]; next: string | null } = await get(next);
    seen.push(...page.services.map(({ name }) => name));
    next = page.next;
  }
  expect(seen).toEqual(['a', 'b', 'm', 'z']);
});

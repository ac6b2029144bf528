/** The process that `backends.ts` starts. It simulates backends, so that their work does not count as the program's. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { recordingOf } from '../test/detectors/replay.ts';
import { type FromBackends, SILENT, type ToBackends } from './backends.ts';

/** Delay of a response, in milliseconds, or forever. */
let delay: number | 'never' = 0;

function play(name: string): Server {
  const { answers = {}, otherwise } = recordingOf(name);
  return createServer((request, response) => {
    if (delay === 'never') return;
    const answer = answers[`${request.method} ${request.url}`] ?? otherwise;
    const send = (): void => {
      response.writeHead(answer?.status ?? 404, {
        'content-type': answer?.headers['content-type'] ?? 'text/plain',
      });
      response.end(answer?.body);
    };
    if (delay === 0) send();
    else setTimeout(send, delay);
  });
}

const tell = (message: FromBackends): void => void process.send?.(message);

process.on('disconnect', () => process.exit());
process.on('message', async (message: ToBackends) => {
  if ('delay' in message) {
    delay = message.delay;
    tell({ ready: true });
    return;
  }
  const ports: Record<string, number> = {};
  for (const name of [...message.play, SILENT]) {
    const server = name === SILENT ? createServer(() => {}) : play(name);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
    ports[name] = (server.address() as AddressInfo).port;
  }
  tell({ ports });
});

import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What detection must make of the Services that lead to a recorded server, whatever their labels say. */
interface Expected {
  readonly type: string;
  /** Type and base path, health and proof, as `outcome` in `probing.ts` writes them: `mimir /prometheus, healthy, proven`. */
  readonly outcome: string;
  /** A regular expression that the reason must match. */
  readonly reason?: string;
  /** `refused`: with the labels of another type, the responses are too weak to change the type, and nothing is found. */
  readonly elsewhere?: 'refused';
}

/** What a server answered: recorded from a real one, or written after the product's documentation, as `how` says. */
export interface Recording {
  readonly product: string;
  readonly version: string;
  readonly how: string;
  /** Absent in decoys, and in recordings with tests of their own. */
  readonly expected?: Expected;
  /** Answers by method and path, and for MCP the method of JSON-RPC. */
  readonly answers?: Readonly<Record<string, RecordedAnswer>>;
  /** What it answers to any other path, `{path}` in it being that path; else what it answered most often. */
  readonly otherwise?: RecordedAnswer;
  /** Requests and answers of a protocol that is not HTTP, by name. */
  readonly exchange?: Readonly<
    Record<string, { readonly request_hex: string; readonly response_hex: string }>
  >;
}

const FOLDER = join(import.meta.dirname, '../fixtures/fingerprints');

/** Names of all recordings; those of servers that are no backend begin with `decoy-`. */
export const recordings = readdirSync(FOLDER)
  .map((name) => name.replace(/\.json$/, ''))
  .sort();

export function recordingOf(name: string): Recording {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recording;
}

/** A local server that plays a recording. */
export interface Replay {
  readonly port: number;
  /** What it was asked, in order: method, path and the method of JSON-RPC. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** What a server says where it has nothing: the answer with the status that it gave most often. */
function usualAnswer(answers: NonNullable<Recording['answers']>): RecordedAnswer {
  const byStatus = Map.groupBy(Object.values(answers), ({ status }) => status);
  const [most] = [...byStatus.values()].sort((a, b) => b.length - a.length);
  if (most?.[0] === undefined) throw new Error('a recording without answers');
  return most[0];
}

/** Headers that describe the recorded bytes, which may have been cut, and not the answer. */
const OF_THE_BYTES = new Set(['content-length', 'transfer-encoding', 'connection', 'date']);

async function keyOf(request: IncomingMessage): Promise<string> {
  const key = `${request.method} ${request.url}`;
  if (request.method !== 'POST') return key;
  try {
    return `${key} ${(JSON.parse(await text(request)) as { method?: unknown }).method}`;
  } catch {
    // Not JSON-RPC: the path alone must do.
    return key;
  }
}

function playHttp(recording: Recording, asked: string[]): Server {
  const answers = recording.answers ?? {};
  const usual = recording.otherwise ?? usualAnswer(answers);
  return createServer((request, response) => {
    void keyOf(request).then((key) => {
      asked.push(key);
      const { status, headers, body } = answers[key] ?? usual;
      for (const [name, value] of Object.entries(headers))
        if (!OF_THE_BYTES.has(name)) response.setHeader(name, value);
      response.writeHead(status).end(body.replaceAll('{path}', request.url ?? ''));
    });
  });
}

/** Plays the exchanges of Kafka: an answer has the correlation id of its request; what is unknown ends the connection. */
function playKafka(recording: Recording, asked: string[]): Server {
  return createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const version = request.length < 12 ? -1 : request.readInt16BE(6);
      const isApiVersions = version >= 0 && request.readInt16BE(4) === 18;
      const name = isApiVersions ? `ApiVersions v${version}` : 'HTTP GET /';
      asked.push(name);
      const answer = Buffer.from(recording.exchange?.[name]?.response_hex ?? '', 'hex');
      if (answer.length >= 8) request.copy(answer, 4, 8, 12);
      socket.end(answer);
    });
  });
}

/** Starts a server that plays a recording on a free loopback port. */
export async function replay(recording: Recording): Promise<Replay> {
  const asked: string[] = [];
  const server = recording.exchange === undefined ? playHttp(recording, asked) : playKafka(recording, asked);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MAX_EVENTS } from './event-stream.ts';
import { createRpcCall, type RpcMessage } from './json-rpc.ts';

/** What a call makes of a body that comes in pieces of a size, and how many bytes of it were read. */
function answered(
  body: string,
  size: number,
): { readonly message: RpcMessage | undefined; readonly read: number } {
  const call = createRpcCall({ path: '/mcp', method: 'initialize' });
  const bytes = Buffer.from(body);
  let read = 0;
  while (read < bytes.length) {
    const piece = bytes.subarray(read, read + size);
    read += piece.length;
    if (call.request.enough?.(piece) === true) break;
  }
  const message = call.message({ status: 200, headers: {}, body: bytes.subarray(0, read).toString() });
  return { message, read };
}

describe('the message of a response', () => {
  const message = { jsonrpc: '2.0', id: 1, result: { serverInfo: { name: 'ä' } } };
  const json = JSON.stringify(message);
  test.each([
    ['JSON', json],
    ['JSON after empty lines', `\n  ${json}\n`],
    ['one event', `event: message\ndata: ${json}\n\n`],
    ['an event after others', `: ping\n\ndata: {"method":"log"}\n\ndata: no JSON\n\ndata: ${json}\n\n`],
    ['an event over several lines', `data: ${json.slice(0, 10)}\ndata: ${json.slice(10)}\n\n`],
    ['an event without its end', `data: ${json}`],
  ])('in %s, with chunks of any size', (_, body) => {
    for (const size of [1, 7, 100_000]) expect(answered(body, size).message).toEqual(message);
  });

  test.each([
    '',
    '   ',
    'null',
    '7',
    '[]',
    '{}',
    '{"result":',
    'data: {"result":\n\n',
    '<html>',
    '{'.repeat(60_000),
  ])('is missing in %j', (body) => expect(answered(body, 1_000).message).toBeUndefined());

  test('is the one with the id of the request, or an error of a server that could not read it', () => {
    const text = (id: unknown, more: object = { result: {} }) =>
      JSON.stringify({ jsonrpc: '2.0', id, ...more });
    const stream = `data: ${text(999)}\n\ndata: ${text('1')}\n\ndata: ${json}\n\n`;
    expect(answered(stream, 100_000).message).toEqual(message);
    expect(answered(text(999), 100_000).message).toBeUndefined();
    expect(answered(text(null), 100_000).message).toBeUndefined();
    const error = { error: { code: -32700 } };
    expect(answered(text(999, error), 100_000).message).toBeUndefined();
    for (const id of [1, null, undefined])
      expect(answered(text(id, error), 100_000).message).toMatchObject(error);
  });

  test('ends the reading of a stream that continues', () => {
    const first = `data: ${json}\n\n`;
    expect(answered(first + 'data: more\n\n'.repeat(1_000), 1).read).toBe(Buffer.byteLength(first));
  });
});

test.each([
  ['events that are no JSON', 'data:{\n\n'.repeat(8_000)],
  [
    'long events, then single bytes',
    `data: ${'x'.repeat(500)}\n\n`.repeat(15) + 'data: '.padEnd(40_000, 'x'),
  ],
  ['JSON without an end', `{"result":[${'1,'.repeat(30_000)}`],
])('hostile %s, byte by byte, are parsed once each', (_, body) => {
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  expect(answered(body, 1).message).toBeUndefined();
  expect(parse.mock.calls.length).toBeLessThanOrEqual(MAX_EVENTS);
});

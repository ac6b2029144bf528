import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventReader, MAX_EVENTS, MAX_SKIPPED_BYTES, type ServerSentEvent } from './event-stream.ts';

/** The events that are offered when a text arrives in these pieces, and how many pieces were read. */
function reading(
  pieces: readonly Buffer[],
  wanted: (event: ServerSentEvent) => boolean = () => false,
): { readonly events: readonly ServerSentEvent[]; readonly pieces: number } {
  const events: ServerSentEvent[] = [];
  const reader = new EventReader((event) => {
    events.push(event);
    return wanted(event);
  });
  let read = 0;
  for (const piece of pieces) {
    read++;
    if (reader.push(piece)) return { events, pieces: read };
  }
  reader.end();
  return { events, pieces: read };
}

const all = (text: string): readonly ServerSentEvent[] => reading([Buffer.from(text)]).events;

/** A text in pieces of a size. */
const cut = (text: string, size: number): Buffer[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
};

describe('a stream of events', () => {
  test.each<[string, string, readonly ServerSentEvent[]]>([
    ['one event', 'data: {}\n\n', [{ event: 'message', data: '{}' }]],
    ['an event with a name', 'event: endpoint\ndata: /m\n\n', [{ event: 'endpoint', data: '/m' }]],
    ['line ends of Windows', 'event: e\r\ndata: 1\r\n\r\n', [{ event: 'e', data: '1' }]],
    ['several lines of data', 'data: a\ndata:b\ndata\n\n', [{ event: 'message', data: 'a\nb\n' }]],
    [
      'a comment',
      ': ping\n\ndata: 1\n\n',
      [
        { event: 'message', data: '' },
        { event: 'message', data: '1' },
      ],
    ],
    ['one that ends within its event', 'data: 1', [{ event: 'message', data: '1' }]],
    ['empty lines', '\n\n\r\n\n', []],
    ['nothing', '', []],
  ])('%s', (_, text, events) => {
    expect(all(text)).toEqual(events);
  });

  test('has all of many lines of data', () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => (index % 3 === 0 ? '' : `line ${index}`));
    const text = lines.map((line) => `data: ${line}\n`).join('');
    expect(all(`${text}\n`)).toEqual([{ event: 'message', data: lines.join('\n') }]);
  });

  test('has all of a long line that comes byte by byte', () => {
    const data = Array.from({ length: 1_000 }, (_, index) => `${index}é`).join(' ');
    expect(reading(cut(`data: ${data}\n\n`, 1)).events).toEqual([{ event: 'message', data }]);
  });

  test('is the same with any chunks', () => {
    const line = fc.constantFrom(
      'data: ä€😀',
      'data:',
      'event: x',
      ': note',
      'id: 7',
      '',
      '',
      '\r',
      'data: {"a":1}',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const text = lines.join('\n');
        expect(reading(cut(text, size)).events).toEqual(all(text));
      }),
    );
  });
});

describe('reading ends', () => {
  test('with the expected event: nothing after it is parsed', () => {
    const text = 'data: 1\n\ndata: 2\n\ndata: 3\n\n';
    const { events } = reading([Buffer.from(text)], ({ data }) => data === '2');
    expect(events.map(({ data }) => data)).toEqual(['1', '2']);
  });

  test('after too many other events', () => {
    const { events } = reading(cut('data: x\n\n'.repeat(8_000), 1));
    expect(events).toHaveLength(MAX_EVENTS);
  });

  test('after too many other bytes', () => {
    const junk = `data: ${'x'.repeat(MAX_SKIPPED_BYTES / 4)}\n\n`;
    expect(reading(cut(junk.repeat(50), 1_000)).events).toHaveLength(4);
  });

  test('but one long event may be the expected one', () => {
    const long = 'x'.repeat(3 * MAX_SKIPPED_BYTES);
    const { events } = reading(cut(`data: ${long}\n\n`, 1_000), ({ data }) => data === long);
    expect(events).toHaveLength(1);
  });
});

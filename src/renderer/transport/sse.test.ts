import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../test/fakes/collect.ts';
import { readEventData } from './sse.ts';

type Bytes = Uint8Array<ArrayBuffer>;

function bodyOf(chunks: readonly Bytes[]): ReadableStream<Bytes> {
  const left = [...chunks];
  return new ReadableStream<Bytes>({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

async function read(chunks: readonly Bytes[]): Promise<string[]> {
  return collect(readEventData(bodyOf(chunks)));
}

const bytes = (text: string): Bytes => new TextEncoder().encode(text);

/** A line of data: any text without line ends; a leading space is kept by the one that the encoder adds. */
const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '·'));

describe('readEventData', () => {
  it('gives the same events wherever the bytes are cut, whichever line end is used', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(200)),
        async (events, end, cuts) => {
          const encoded = bytes(
            events.map((lines) => `${lines.map((data) => `data: ${data}${end}`).join('')}${end}`).join(''),
          );
          const places = [0, ...cuts.filter((cut) => cut < encoded.length), encoded.length];
          places.sort((a, b) => a - b);
          const chunks = places.slice(1).map((place, index) => encoded.slice(places[index], place));
          expect(await read(chunks)).toEqual(events.map((lines) => lines.join('\n')));
        },
      ),
    );
  });

  it('leaves out comments and an event that was cut off', async () => {
    expect(await read([bytes(': waiting\n\ndata: 1\n\n: waiting\n\ndata: 2')])).toEqual(['1']);
  });

  it('cancels the body when the loop is left early', async () => {
    let cancelled = false;
    const body = new ReadableStream<Bytes>({
      start: (controller) => controller.enqueue(bytes('data: 1\n\ndata: 2\n\n')),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const data of readEventData(body)) {
      expect(data).toBe('1');
      break;
    }
    expect(cancelled).toBe(true);
  });

  it('throws what broke the body', async () => {
    const body = new ReadableStream<Bytes>({ start: (controller) => controller.error(new Error('cut')) });
    await expect(collect(readEventData(body))).rejects.toThrow('cut');
  });
});

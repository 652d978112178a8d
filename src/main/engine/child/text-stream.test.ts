import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextStream } from './text-stream.ts';

/** A token of a byte-level tokenizer: some bytes, wherever characters begin. */
type ByteToken = readonly number[];

const detokenize = (tokens: readonly ByteToken[]) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(tokens.flat()));

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** Cuts `bytes` into tokens whose lengths are taken from `lengths`, over and over. */
function cut(bytes: readonly number[], lengths: readonly number[]): ByteToken[] {
  const tokens: ByteToken[] = [];
  for (let start = 0, index = 0; start < bytes.length; index++) {
    const length = lengths[index % lengths.length] ?? 1;
    tokens.push(bytes.slice(start, start + length));
    start += length;
  }
  return tokens;
}

/** All chunks that come out, the end's included. */
function chunksOf(tokens: readonly ByteToken[], stops: readonly string[]): string[] {
  const stream = new TextStream<ByteToken>(detokenize, stops);
  const chunks: string[] = [];
  for (const token of tokens) {
    chunks.push(stream.push(token));
    if (stream.stopped) break;
  }
  return [...chunks, stream.end()];
}

/** What the answer is: the text up to the stop string that is complete first. */
function cutAtStop(text: string, stops: readonly string[]): string {
  for (let end = 0; end <= text.length; end++) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (found.length > 0) return text.slice(0, end - Math.max(...found.map((stop) => stop.length)));
  }
  return text;
}

const HARD_CHARACTERS = [
  'a',
  'b',
  ' ',
  '\n',
  'é',
  'e\u0301',
  '中',
  '😀',
  '😁',
  '👩‍👩‍👧‍👦',
  '🇩🇪',
  '\u200d',
  '𝒳',
  '\u0000',
  '\ufeff',
];
const hardText = fc
  .array(fc.constantFrom(...HARD_CHARACTERS), { maxLength: 30 })
  .map((parts) => parts.join(''));
const anyText = fc.oneof(
  hardText,
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\uFFFD', '?')),
);
const lengths = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 });
const stop = fc
  .array(fc.constantFrom(...HARD_CHARACTERS), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));
const stops = fc.array(stop, { maxLength: 3 });

describe('for any text, tokens and stop strings', () => {
  test('the chunks joined are the text, cut before the first stop string', () => {
    fc.assert(
      fc.property(anyText, lengths, stops, (text, cuts, stopAt) => {
        expect(chunksOf(cut(bytesOf(text), cuts), stopAt).join('')).toBe(cutAtStop(text, stopAt));
      }),
      { numRuns: 3000 },
    );
  });

  test('no chunk holds half a character', () => {
    fc.assert(
      fc.property(anyText, lengths, stops, (text, cuts, stopAt) => {
        for (const chunk of chunksOf(cut(bytesOf(text), cuts), stopAt)) {
          expect(chunk).not.toContain('\uFFFD');
          expect(chunk.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('what could begin a stop string is held back, and nothing else', () => {
    fc.assert(
      fc.property(hardText, lengths, stops, (text, cuts, stopAt) => {
        const stream = new TextStream<ByteToken>(detokenize, stopAt);
        const tokens = cut(bytesOf(text), cuts);
        let out = '';
        for (const [index, token] of tokens.entries()) {
          out += stream.push(token);
          if (stream.stopped) break;
          const seen = detokenize(tokens.slice(0, index + 1)).replace(/\uFFFD$/, '');
          const beginnings = stopAt.flatMap((each) =>
            [...each].map((_, at) => [...each].slice(0, at).join('')),
          );
          const held = Math.max(
            0,
            ...beginnings.filter((each) => seen.endsWith(each)).map((each) => each.length),
          );
          expect(out).toBe(seen.slice(0, seen.length - held));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a text cut off anywhere loses its unfinished character and nothing else', () => {
    fc.assert(
      fc.property(hardText, lengths, fc.nat(), (text, cuts, at) => {
        const bytes = bytesOf(text).slice(0, at % (bytesOf(text).length + 1));
        const whole = detokenize([bytes]).replace(/\uFFFD$/, '');
        expect(chunksOf(cut(bytes, cuts), []).join('')).toBe(whole);
      }),
      { numRuns: 1000 },
    );
  });

  test('bytes that are no text come out the same however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), lengths, (bytes, cuts) => {
        const whole = detokenize([[...bytes]]).replace(/\uFFFD$/, '');
        expect(chunksOf(cut([...bytes], cuts), []).join('')).toBe(whole);
      }),
      { numRuns: 1000 },
    );
  });
});

test('tokens that all end inside a character do not hold back the characters before', () => {
  const bytes = [...bytesOf('a😀'.repeat(40)), ...bytesOf('😀')];
  const tokens = [bytes.slice(0, 2), ...cut(bytes.slice(2), [5])];
  const stream = new TextStream<ByteToken>(detokenize, []);
  const chunks = tokens.map((token) => stream.push(token));
  expect(chunks.slice(1, -2).every((chunk) => chunk === '😀a')).toBe(true);
  expect([...chunks, stream.end()].join('')).toBe(`${'a😀'.repeat(40)}😀`);
});

test('a long row of tokens is not decoded from its beginning each time', () => {
  let decoded = 0;
  const counting = (tokens: readonly ByteToken[]) => {
    decoded += tokens.length;
    return detokenize(tokens);
  };
  const stream = new TextStream<ByteToken>(counting, []);
  const tokens = cut(bytesOf('😀'.repeat(1001)).slice(1, -3), [4]);
  for (const token of tokens) stream.push(token);
  expect(decoded).toBeLessThan(tokens.length * 20);
});

test('a stop string over several tokens leaks no prefix, and a false prefix comes out', () => {
  const tokens = ['Hello', ' <', '|im', '_stop', ' <', '|im', '_end', '|> more'].map(bytesOf);
  expect(chunksOf(tokens, ['<|im_end|>'])).toEqual(['Hello', ' ', '', '<|im_stop', ' ', '', '', '', '']);
});

test('a false prefix at the very end comes out with the end', () => {
  expect(chunksOf(['a', '<', '|'].map(bytesOf), ['<|end|>'])).toEqual(['a', '', '', '<|']);
});

test('of overlapping stop strings the one that is complete first counts, in one token or in many', () => {
  expect(chunksOf([bytesOf('abcd')], ['abcd', 'bc']).join('')).toBe('a');
  expect(chunksOf(['a', 'b', 'c', 'd'].map(bytesOf), ['abcd', 'bc']).join('')).toBe('a');
});

test('half a surrogate pair as a stop string stops nothing and cuts nothing', () => {
  expect(chunksOf([bytesOf('a😀b')], ['\ude00', '\ud83d', '\ude00b']).join('')).toBe('a😀b');
});

test('nothing comes out after a stop', () => {
  const stream = new TextStream<ByteToken>(detokenize, ['b']);
  expect(stream.push(bytesOf('ab'))).toBe('a');
  expect(stream.stopped).toBe(true);
  expect(stream.push(bytesOf('c'))).toBe('');
  expect(stream.end()).toBe('');
});

test('a text that continues another is decoded knowing it', () => {
  const words = (tokens: readonly string[], before: readonly string[]) =>
    tokens.map((token, index) => (index + before.length === 0 ? token : ` ${token}`)).join('');
  const joined = (before: readonly string[]) => {
    const stream = new TextStream<string>(words, [], before);
    return ['there', 'was'].map((token) => stream.push(token)).join('');
  };
  expect(joined([])).toBe('there was');
  expect(joined(['Once'])).toBe(' there was');
});

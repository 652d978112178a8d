import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GgufHeader,
  type GgufValue,
  ggufFile,
  ggufHeader,
  text,
  u32,
  u64,
} from '../../../../test/fixtures/gguf-writer.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import { readModelHeader } from './gguf-header.ts';

const DEMO = 'resources/models/roundhouse-demo.gguf';
const MIB = 1024 * 1024;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-gguf-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, content: Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

function num(value: number): GgufValue {
  return { type: 'u32', value };
}

const LLAMA: GgufHeader['metadata'] = [
  ['general.architecture', { type: 'text', value: 'llama' }],
  ['llama.block_count', num(2)],
  ['llama.embedding_length', num(64)],
  ['llama.attention.head_count', num(4)],
];
const TENSORS: GgufHeader['tensors'] = [
  { name: 'token_embd.weight', dimensions: [64, 100], type: 'F16' },
  { name: 'output_norm.weight', dimensions: [64], type: 'F32' },
];

describe('readModelHeader on good files', () => {
  it('reads the demo model', () => {
    const header = readModelHeader(DEMO);
    expect(header).toMatchObject({
      fileBytes: 2_940_352,
      shards: 1,
      architecture: 'llama',
      name: 'Roundhouse Demo',
      quantization: 'Q8_0',
      parameters: 2_705_856,
      trainedContextSize: 2048,
      blockCount: 6,
      embeddingLength: 192,
      headCounts: [6, 6, 6, 6, 6, 6],
      kvHeadCounts: [2, 2, 2, 2, 2, 2],
      keyLength: 32,
      valueLength: 32,
      slidingWindow: null,
      plainAttention: true,
      tensorCount: 56,
      tensorBytes: 2_882_304,
      embeddingType: 'Q8_0',
      outputType: null,
    });
    expect(header.vocabulary).toMatchObject({ size: 1792, tokenizer: 'gpt2', merges: 1529 });
    expect(header.tokenizer.chatTemplate).toContain('<|im_start|>');
    expect(header.tokenizer.specialTokens.map(({ text }) => text)).toContain('<|im_end|>');
    expect(header.identity).toMatch(/^2940352@\d+$/);
  });

  it('reads back whatever the writer wrote', () => {
    const model = fc.record({
      version: fc.constantFrom(2, 3),
      alignment: fc.constantFrom(8, 32, 64, 4096),
      layers: fc.integer({ min: 1, max: 12 }),
      heads: fc.integer({ min: 1, max: 16 }),
      perLayer: fc.boolean(),
      contextSize: fc.option(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
      window: fc.option(fc.integer({ min: 1, max: 4096 })),
      name: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })),
      tokens: fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 300 }),
      template: fc.boolean(),
      rows: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }),
      type: fc.constantFrom('F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'),
    });
    fc.assert(
      fc.property(model, (shape) => {
        const kvHeads = Array.from({ length: shape.layers }, (_, layer) => (layer % shape.heads) + 1);
        const metadata: [string, GgufValue][] = [
          ['llama.list', { type: 'f32s', value: [1, 2, 3] }],
          ['general.architecture', { type: 'text', value: 'llama' }],
          ['general.alignment', num(shape.alignment)],
          ['llama.block_count', num(shape.layers)],
          ['llama.embedding_length', num(shape.heads * 64)],
          ['llama.attention.head_count', num(shape.heads)],
          ['llama.attention.head_count_kv', shape.perLayer ? { type: 'i32s', value: kvHeads } : num(1)],
          ['tokenizer.ggml.tokens', { type: 'texts', value: shape.tokens }],
        ];
        if (shape.contextSize !== null) metadata.push(['llama.context_length', num(shape.contextSize)]);
        if (shape.window !== null) metadata.push(['llama.attention.sliding_window', num(shape.window)]);
        if (shape.name !== null) metadata.push(['general.name', { type: 'text', value: shape.name }]);
        if (shape.template)
          metadata.push(['tokenizer.chat_template', { type: 'text', value: '{{ messages }}' }]);
        const tensors = shape.rows.map((rows, index) => ({
          name: `blk.${index}.weight`,
          dimensions: [256, rows],
          type: shape.type,
        }));
        const path = file('model.gguf', ggufFile({ ...shape, metadata, tensors }));

        const header = readModelHeader(path);
        const elements = shape.rows.reduce((sum, rows) => sum + rows * 256, 0);
        expect(header).toMatchObject({
          architecture: 'llama',
          name: shape.name?.slice(0, 200).trim() || null,
          blockCount: shape.layers,
          trainedContextSize: shape.contextSize,
          slidingWindow: shape.window,
          plainAttention: shape.window === null,
          kvHeadCounts: shape.perLayer ? kvHeads : kvHeads.map(() => 1),
          parameters: elements,
          tokenizer: {
            chatTemplate: shape.template ? '{{ messages }}' : null,
            longestTokenBytes: Math.max(0, ...shape.tokens.map((token) => Buffer.byteLength(token))),
          },
          tensorCount: shape.rows.length,
          quantization: shape.rows.length > 0 ? shape.type : 'unknown',
        });
        expect(header.keyLength).toBe(64);
        const textBytes = shape.tokens.reduce((sum, token) => sum + Buffer.byteLength(token), 0);
        expect(header.vocabulary).toMatchObject({ size: shape.tokens.length, textBytes });
        expect(header.matrixBytesByType[shape.type] ?? 0).toBe(header.tensorBytes);
      }),
      { numRuns: 60 },
    );
  });

  it('finds what of a vocabulary a message must not produce, by type and look', () => {
    const vocabulary: [text: string, type: number][] = [
      ['a', 1],
      ['<unk>', 2],
      ['<s>', 3],
      ['<tool_call>', 4],
      ['[INST]', 4],
      ['    ', 4],
      ['<|eot_id|>', 1],
      ['<', 1],
      ['<0x0A>', 6],
      ['€', 3],
      ['▁<PRE>', 3],
      ['x'.repeat(2000), 1],
    ];
    const tokenizer: [string, GgufValue][] = [
      ['tokenizer.ggml.token_type', { type: 'i32s', value: vocabulary.map(([, type]) => type) }],
      ['tokenizer.chat_template', { type: 'text', value: 'é'.repeat(200_000) }],
      ['tokenizer.ggml.tokens', { type: 'texts', value: vocabulary.map(([text]) => text) }],
    ];
    const metadata = [...LLAMA, ...tokenizer];
    expect(readModelHeader(file('model.gguf', ggufFile({ metadata, tensors: TENSORS }))).tokenizer).toEqual({
      longestTokenBytes: 2000,
      specialTokens: [1, 2, 3, 4, 6, 10].map((id) => ({
        id,
        text: vocabulary[id]?.[0],
        type: vocabulary[id]?.[1],
      })),
      chatTemplate: 'é'.repeat(200_000),
      chatTemplateBytes: 400_000,
    });
  });

  it('adds up the tensors of all shards', () => {
    const shard = (number: number, tensors: GgufHeader['tensors']) =>
      file(
        `big-0000${number}-of-00003.gguf`,
        ggufFile({
          metadata: [...(number === 1 ? LLAMA : []), ['split.count', num(3)], ['split.no', num(number - 1)]],
          tensors,
        }),
      );
    const first = shard(1, TENSORS);
    shard(2, [{ name: 'blk.0.attn_q.weight', dimensions: [64, 64], type: 'F16' }]);
    shard(3, [{ name: 'output.weight', dimensions: [64, 100], type: 'Q8_0' }]);
    const header = readModelHeader(first);
    expect(header).toMatchObject({ shards: 3, tensorCount: 4, outputType: 'Q8_0' });
    expect(header.tensorBytes).toBe(64 * 100 * 2 + 64 * 4 + 64 * 64 * 2 + (64 * 100 * 34) / 32);
    expect(header.identity.split(' ')).toHaveLength(3);

    expect(reason(join(dir, 'big-00002-of-00003.gguf'))).toContain(
      'choose the first, big-00001-of-00003.gguf',
    );
    rmSync(join(dir, 'big-00003-of-00003.gguf'));
    expect(reason(first)).toContain(
      '1 of its 3 files are missing, the first of them big-00003-of-00003.gguf',
    );
  });
});

describe('readModelHeader on hostile files', () => {
  const list = (itemType: number, length: number | bigint) =>
    Buffer.concat([u32(9), u32(itemType), u64(length)]);
  const raw = (value: Buffer): GgufValue => ({ type: 'raw', value });
  const withKey = (key: string, value: GgufValue) =>
    ggufFile({ metadata: [...LLAMA, [key, value]], tensors: TENSORS });
  const withTensor = (tensor: Partial<GgufHeader['tensors'][number]>) =>
    ggufHeader({ metadata: LLAMA, tensors: [{ name: 'x', dimensions: [64, 2], type: 'F16', ...tensor }] });
  const emptyHeader = (tensors: bigint, pairs: bigint) =>
    Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(pairs)]);
  const whole = ggufFile({ metadata: LLAMA, tensors: TENSORS });

  const cases: [name: string, content: () => Buffer, reason: string][] = [
    ['empty', () => Buffer.alloc(0), 'not a GGUF file'],
    ['not GGUF', () => Buffer.from('PK\u0003\u0004 something else entirely'), 'not a GGUF file'],
    ['only the magic', () => Buffer.from('GGUF'), '4 bytes are needed at 4, the file has 4'],
    ['version 1', () => ggufFile({ version: 1, metadata: LLAMA, tensors: [] }), 'GGUF version 1'],
    ['big-endian', () => Buffer.from('GGUF\0\0\0\u0003aaaaaaaaaaaaaaaa', 'latin1'), 'big-endian'],
    [
      '24 bytes, 2^64 - 1 tensors',
      () => emptyHeader(2n ** 64n - 1n, 0n),
      'tensors is 18,446,744,073,709,551,615, more than the 32,768 allowed',
    ],
    [
      '24 bytes, 2^64 - 1 keys',
      () => emptyHeader(0n, 2n ** 64n - 1n),
      'metadata keys is 18,446,744,073,709,551,615, more than the 1,024 allowed',
    ],
    [
      '24 bytes, a million keys',
      () => emptyHeader(0n, 1_000_000n),
      'the number of metadata keys is 1,000,000, more than the 1,024 allowed',
    ],
    [
      'a billion tensors',
      () => ggufFile({ metadata: LLAMA, tensors: [], tensorCount: 1e9 }),
      'the number of tensors is 1,000,000,000, more than the 32,768 allowed',
    ],
    ['long key', () => withKey('k'.repeat(300), num(1)), 'the length of metadata key 5 is 300'],
    ['duplicate key', () => withKey('llama.block_count', num(3)), '"llama.block_count" is there twice'],
    ['__proto__', () => withKey('llama.__proto__.polluted', num(1)), 'forbidden part __proto__'],
    ['constructor', () => withKey('constructor.prototype.x', num(1)), 'forbidden part constructor'],
    ['value of type 99', () => withKey('a', raw(u32(99))), 'unknown value type 99'],
    ['list of lists', () => withKey('a', raw(list(9, 1))), 'list of lists'],
    ['list of type 99', () => withKey('a', raw(list(99, 1))), 'unknown value type 99'],
    [
      'list of 2^62 numbers',
      () => withKey('a', raw(list(4, 2n ** 62n))),
      '4,611,686,018,427,387,904, more than the 4,194,304',
    ],
    ['list longer than the file', () => withKey('a', raw(list(4, 4_000_000))), '16,000,000 bytes are needed'],
    [
      'text of 2^63 bytes',
      () => withKey('a', raw(Buffer.concat([u32(8), u64(2n ** 63n)]))),
      '9,223,372,036,854,775,808',
    ],
    [
      'text longer than the file',
      () => withKey('a', raw(Buffer.concat([u32(8), u64(1e6)]))),
      '1,000,000 bytes are needed',
    ],
    ['alignment 0', () => withKey('general.alignment', num(0)), 'alignment is 0, not a power of two'],
    ['alignment 48', () => withKey('general.alignment', num(48)), 'alignment is 48'],
    ['alignment 2^31', () => withKey('general.alignment', num(2 ** 31)), 'alignment is 2147483648'],
    ['alignment as text', () => withKey('general.alignment', { type: 'text', value: '32' }), 'not a number'],
    ['cut in the header', () => whole.subarray(0, 60), 'it ends inside its header'],
    ['cut in the tensors', () => whole.subarray(0, whole.length - 400), 'the file has only'],
    [
      'offset beyond the file',
      () => withTensor({ offset: 2n ** 40n }),
      'offset 1,099,511,627,776 where 0 is expected',
    ],
    [
      'offset overflow',
      () => withTensor({ offset: 2n ** 64n - 32n }),
      '18,446,744,073,709,551,584, which is beyond the end of any file',
    ],
    ['huge dimension', () => withTensor({ dimensions: [2 ** 41] }), '2,199,023,255,552'],
    [
      'overflowing dimensions',
      () => withTensor({ dimensions: [2 ** 40, 2 ** 40, 2 ** 40, 2 ** 40] }),
      'too many for any file',
    ],
    [
      'too large for the file',
      () => withTensor({ dimensions: [2 ** 30] }),
      'ends at byte 2,147,483,648, and the file has only',
    ],
    ['five dimensions', () => withTensor({ dimensions: [1, 1, 1, 1, 1] }), 'has 5 dimensions, not 1 to 4'],
    ['no dimension', () => withTensor({ dimensions: [] }), 'has 0 dimensions'],
    ['part of a block', () => withTensor({ dimensions: [33], type: 'Q8_0' }), 'rows of 33 elements'],
    ['tensor type 4', () => withTensor({ typeId: 4 }), 'unknown type 4'],
    [
      'long tensor name',
      () => withTensor({ name: 'n'.repeat(64) }),
      'the length of the name of tensor 1 is 64',
    ],
    [
      'a tensor twice',
      () => ggufFile({ metadata: LLAMA, tensors: [...TENSORS, ...TENSORS] }),
      'is there twice',
    ],
    [
      'no architecture',
      () => ggufFile({ metadata: LLAMA.slice(1), tensors: [] }),
      'general.architecture is missing',
    ],
    ['a projector', () => ggufFile({ metadata: LLAMA.slice(0, 1), tensors: [] }), 'not a language model'],
    [
      'a billion layers',
      () => ggufFile({ metadata: [...LLAMA.slice(0, 1), ['llama.block_count', num(1e9)]], tensors: [] }),
      'llama.block_count is 1000000000',
    ],
    [
      'heads of other layers',
      () => withKey('llama.attention.head_count_kv', { type: 'i32s', value: [1, 2, 3] }),
      '3 numbers for 2 layers',
    ],
    ['negative heads', () => withKey('llama.attention.head_count_kv', { type: 'i32', value: -1 }), 'is -1'],
    ['a shard with another name', () => withKey('split.count', num(3)), 'NAME-00001-of-00003.gguf'],
  ];

  it.each(cases)('%s', (_name, content, expected) => {
    expect(reason(file('hostile.gguf', content()))).toContain(expected);
  });

  it('refuses folders, missing files and named pipes without waiting', () => {
    expect(reason(dir)).toContain('not a regular file');
    expect(reason(join(dir, 'none.gguf'))).toContain('cannot be opened (ENOENT');
    const pipe = join(dir, 'pipe.gguf');
    execFileSync('mkfifo', [pipe]);
    expect(reason(pipe)).toContain('not a regular file');
  });

  it('pollutes no prototype', () => {
    reason(file('proto.gguf', withKey('__proto__.polluted', num(1))));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('keeps little, and stops at a limit, however much a header holds', () => {
    const start = (tensors: number, pairs: number) =>
      Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(pairs)]);
    const emptyTexts = (key: string) => Buffer.concat([text(key), list(8, 2 ** 22), Buffer.alloc(2 ** 25)]);
    const keptList = (key: string) => Buffer.concat([text(key), list(0, 1024), Buffer.alloc(1024)]);
    const keys = Array.from({ length: 1024 }, (_, index) => String(index).padEnd(256, 'k'));
    const tensors = Array.from({ length: 32_768 }, (_, index) => ({
      name: String(index).padEnd(63, 't'),
      dimensions: [1, 1, 1, 1],
      type: 'I8',
    }));
    const files = [
      file('texts.gguf', Buffer.concat([start(0, 3), ...['a', 'b', 'c'].map(emptyTexts)])),
      file('lists.gguf', Buffer.concat([start(0, 1024), ...keys.map(keptList)])),
      file('tensors.gguf', ggufFile({ metadata: LLAMA, tensors })),
    ];
    for (const path of files) expect(peakBytes(path) - peakBytes('none'), path).toBeLessThan(50 * MIB);
    expect(reason(files[0] ?? '')).toContain('its header is longer than the 67,108,864 bytes allowed');
  });

  it('never throws anything but its own error, whatever bytes change', () => {
    const bytes = whole.subarray(0, whole.length - 13_000);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(bytes.length),
        (changes, cutBytes) => {
          const changed = Buffer.from(bytes.subarray(0, bytes.length - cutBytes));
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
          reason(file('changed.gguf', changed));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** The message it is refused with, or an empty text when it is accepted. */
function reason(path: string): string {
  try {
    readModelHeader(path);
    return '';
  } catch (error) {
    if (!(error instanceof RoundhouseError)) throw error;
    expect(error.code).toBe('gguf_invalid');
    return error.message;
  }
}

/** Most memory that a process of its own ever had which tried to read the header of `path`. */
function peakBytes(path: string): number {
  const reader = join(import.meta.dirname, 'gguf-header.ts');
  const script = `import { readModelHeader } from ${JSON.stringify(reader)};
    try { readModelHeader(${JSON.stringify(path)}) } catch {}
    console.log(process.resourceUsage().maxRSS)`;
  const output = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script]);
  return Number(output.toString()) * 1024;
}

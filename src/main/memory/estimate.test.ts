import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadSettings, ModelHeader } from '../engine/protocol-estimate.ts';
import { type EngineTraits, repackedTypes } from './backend.ts';
import { corrected, learn } from './correction.ts';
import { contextLine, effectiveContextSize, predictLines } from './estimate.ts';
import { fitInto } from './fit.ts';
import { totalBytes } from './lines.ts';

const MIB = 1024 ** 2;
const ENGINE: EngineTraits = { backend: 'cpu', repackedTypes: ['Q4_0'], emptyBytes: 28 * MIB };

/** The 135M shape of `bench/make-model.ts` in F16 with a vocabulary of 128,000. */
const HEADER: ModelHeader = {
  identity: '1@1',
  fileBytes: 364_900_000,
  shards: 1,
  architecture: 'llama',
  name: null,
  quantization: 'F16',
  parameters: 179_931_456,
  trainedContextSize: 8192,
  blockCount: 30,
  embeddingLength: 576,
  headCounts: Array.from({ length: 30 }, () => 9),
  kvHeadCounts: Array.from({ length: 30 }, () => 3),
  feedForwardLengths: Array.from({ length: 30 }, () => 1536),
  experts: null,
  keyLength: 64,
  valueLength: 64,
  slidingWindow: null,
  plainAttention: true,
  vocabulary: {
    size: 128_000,
    tokenizer: 'gpt2',
    textBytes: 1_146_254,
    merges: 127_741,
    mergeTextBytes: 1_273_542,
  },
  tokenizer: { longestTokenBytes: 128, specialTokens: [], chatTemplate: null, chatTemplateBytes: 0 },
  tensorCount: 272,
  tensorBytes: 359_933_184,
  tensorBytesByType: { F16: 359_792_640, F32: 140_544 },
  matrixBytesByType: { F16: 212_336_640 },
  embeddingType: 'F16',
  embeddingBytes: 147_456_000,
  outputType: null,
};
const SETTINGS: LoadSettings = {
  contextSize: 2048,
  parallel: 2,
  batchSize: 256,
  cacheType: 'f16',
  flashAttention: 'auto',
};

const anySettings = fc.record({
  contextSize: fc.integer({ min: 1, max: 20_000 }),
  parallel: fc.integer({ min: 1, max: 16 }),
  batchSize: fc.integer({ min: 32, max: 4096 }),
  cacheType: fc.constantFrom('f16', 'q8_0', 'q4_0'),
  flashAttention: fc.constantFrom<LoadSettings['flashAttention']>('auto', true, false),
}) satisfies fc.Arbitrary<LoadSettings>;

describe('predictLines', () => {
  it('is within a tenth of what was measured', () => {
    // Measured on Linux x64 with Node 24 (bench/estimate.ts).
    const measured: [Partial<LoadSettings>, measuredMib: number][] = [
      [{}, 526.7],
      [{ contextSize: 8192 }, 799.5],
    ];
    for (const [settings, mib] of measured) {
      const lines = predictLines(HEADER, { ...SETTINGS, ...settings }, ENGINE);
      expect(Math.abs(totalBytes(lines) / MIB / mib - 1)).toBeLessThan(0.1);
    }
  });

  it('knows the cache to the byte', () => {
    const perToken = 30 * 3 * (64 + 64);
    expect(predictLines(HEADER, SETTINGS, ENGINE).cacheBytes).toBe(2 * 2048 * perToken * 2);
    expect(predictLines(HEADER, { ...SETTINGS, cacheType: 'q8_0' }, ENGINE).cacheBytes).toBe(
      (2 * 2048 * perToken * 34) / 32,
    );
    const uneven = { ...HEADER, kvHeadCounts: HEADER.kvHeadCounts.map((_, layer) => layer % 2) };
    expect(predictLines(uneven, SETTINGS, ENGINE).cacheBytes).toBe(2 * 2048 * 15 * 128 * 2);
  });

  it('counts a second copy of what this processor rearranges, with the embedding where it is the output too', () => {
    const quantised = {
      ...HEADER,
      matrixBytesByType: { Q4_0: 50 * MIB, Q6_K: 7 * MIB },
      embeddingType: 'Q4_0',
      embeddingBytes: 20 * MIB,
    };
    const weights = (header: ModelHeader, engine = ENGINE) =>
      (predictLines(header, SETTINGS, engine).weightsBytes - header.tensorBytes) / MIB;
    expect(weights(quantised)).toBe(70);
    expect(weights({ ...quantised, outputType: 'Q6_K' })).toBe(50);
    expect(weights(quantised, { ...ENGINE, backend: 'metal', repackedTypes: [] })).toBe(0);
    expect(weights(HEADER)).toBe(0);
  });

  it('grows with everything that is asked for, never below nothing', () => {
    fc.assert(
      fc.property(anySettings, anySettings, (one, other) => {
        const larger = {
          ...one,
          contextSize: Math.max(one.contextSize, other.contextSize),
          parallel: Math.max(one.parallel, other.parallel),
          batchSize: Math.max(one.batchSize, other.batchSize),
        };
        const small = predictLines(HEADER, one, ENGINE);
        const large = predictLines(HEADER, larger, ENGINE);
        for (const name of ['weightsBytes', 'cacheBytes', 'buffersBytes', 'overheadBytes'] as const) {
          expect(small[name]).toBeGreaterThanOrEqual(0);
          expect(large[name]).toBeGreaterThanOrEqual(small[name]);
        }
      }),
    );
  });

  it('never predicts less for a full context than for one in use', () => {
    fc.assert(
      fc.property(anySettings, fc.nat(20_000), (settings, deepestTokens) => {
        const inUse = totalBytes(predictLines(HEADER, settings, ENGINE, { deepestTokens }));
        expect(inUse).toBeLessThanOrEqual(totalBytes(predictLines(HEADER, settings, ENGINE)));
      }),
    );
  });

  it('takes the cache from llama.cpp where that was asked', () => {
    // Cache and reserved buffers of this very model, as llama.cpp gives them: 90 + 128.3 MiB.
    const lines = predictLines(HEADER, SETTINGS, ENGINE, { contextBytes: 218.25 * MIB });
    expect(lines.cacheBytes / MIB).toBeCloseTo(90, 0);
  });

  it('allocates no more than the model was trained for, in steps of 256', () => {
    expect(effectiveContextSize(HEADER, 1000)).toBe(1024);
    expect(effectiveContextSize(HEADER, 1_000_000)).toBe(8192);
    expect(effectiveContextSize({ ...HEADER, trainedContextSize: null }, 9000)).toBe(9216);
  });
});

describe('contextLine', () => {
  it('is the prediction, at each step of the context', () => {
    fc.assert(
      fc.property(anySettings, fc.integer({ min: 1, max: 32 }), (settings, steps) => {
        fc.pre(settings.flashAttention !== false);
        const contextSize = steps * 256;
        const { baseBytes, bytesPerContextToken } = contextLine(HEADER, settings, ENGINE);
        const predicted = totalBytes(predictLines(HEADER, { ...settings, contextSize }, ENGINE));
        expect((baseBytes + bytesPerContextToken * contextSize) / predicted).toBeCloseTo(1, 6);
      }),
    );
  });
});

describe('learn', () => {
  it('is exact for a load like the one it learned from, and carries over to other contexts', () => {
    const lines = predictLines(HEADER, SETTINGS, ENGINE);
    const measuredBytes = totalBytes(lines) + 20 * MIB;
    const correction = learn(null, { predictedBytes: totalBytes(lines), measuredBytes });
    expect(totalBytes(corrected(lines, correction))).toBe(measuredBytes);
    const other = predictLines(HEADER, { ...SETTINGS, contextSize: 8192 }, ENGINE);
    expect(totalBytes(corrected(other, correction))).toBe(totalBytes(other) + 20 * MIB);
    expect(corrected(lines, null)).toBe(lines);
  });

  it('follows a change and is not led astray by one odd load', () => {
    let correction = learn(null, { predictedBytes: 100 * MIB, measuredBytes: 110 * MIB });
    for (let load = 0; load < 10; load++) {
      correction = learn(correction, { predictedBytes: 100 * MIB, measuredBytes: 110 * MIB });
    }
    correction = learn(correction, { predictedBytes: 100 * MIB, measuredBytes: 130 * MIB });
    expect(correction.offsetBytes / MIB).toBe(15);
    for (let load = 0; load < 20; load++) {
      correction = learn(correction, { predictedBytes: 100 * MIB, measuredBytes: 130 * MIB });
    }
    expect(correction.offsetBytes / MIB).toBeCloseTo(30, 0);
  });

  it('never makes a line negative', () => {
    const lines = predictLines(HEADER, SETTINGS, ENGINE);
    const correction = learn(null, { predictedBytes: 1000 * MIB, measuredBytes: MIB });
    expect(corrected(lines, correction).overheadBytes).toBe(0);
  });
});

describe('fitInto', () => {
  const full = totalBytes(predictLines(HEADER, { ...SETTINGS, contextSize: 8192 }, ENGINE));
  const asked: LoadSettings = { ...SETTINGS, contextSize: 8192, batchSize: 512 };

  it('changes nothing that fits', () => {
    expect(fitInto(2 * full, HEADER, { ...asked, contextSize: 5000 }, ENGINE)).toMatchObject({
      settings: { ...asked, contextSize: 5000 },
      changed: [],
    });
  });

  it('first makes the context smaller, then the batch, then the cache lighter', () => {
    const changedAt = (bytes: number) => fitInto(bytes, HEADER, asked, ENGINE)?.changed;
    expect(changedAt(full - 50 * MIB)).toEqual(['contextSize']);
    const atLeastContext = totalBytes(predictLines(HEADER, { ...asked, contextSize: 2048 }, ENGINE));
    expect(changedAt(atLeastContext - MIB)).toEqual(['contextSize', 'batchSize']);
    const atLeastBatch = totalBytes(
      predictLines(HEADER, { ...asked, contextSize: 2048, batchSize: 64 }, ENGINE),
    );
    expect(changedAt(atLeastBatch - MIB)).toEqual(['contextSize', 'cacheType']);
    const lightest = { ...asked, contextSize: 2048, batchSize: 64, cacheType: 'q4_0' } as const;
    const atLightest = totalBytes(predictLines(HEADER, lightest, ENGINE));
    const below = fitInto(atLightest - MIB, HEADER, asked, ENGINE);
    expect(below?.settings.contextSize).toBeLessThan(2048);
    expect(fitInto(100 * MIB, HEADER, asked, ENGINE)).toBeNull();
  });

  it('fits, and the next step of the context would not', () => {
    fc.assert(
      fc.property(anySettings, fc.integer({ min: 400 * MIB, max: 4000 * MIB }), (settings, bytes) => {
        const found = fitInto(bytes, HEADER, settings, ENGINE);
        if (!found) return;
        expect(totalBytes(found.lines)).toBeLessThanOrEqual(bytes);
        if (!found.changed.includes('contextSize')) return;
        const next = { ...found.settings, contextSize: found.settings.contextSize + 256 };
        expect(totalBytes(predictLines(HEADER, next, ENGINE))).toBeGreaterThan(bytes);
      }),
    );
  });

  it('minds what was learned', () => {
    const correction = { offsetBytes: 100 * MIB, samples: 1 };
    const found = fitInto(full, HEADER, asked, ENGINE, correction);
    expect(found && totalBytes(found.lines)).toBeLessThanOrEqual(full);
    expect(found?.settings.contextSize).toBeLessThan(
      fitInto(full, HEADER, asked, ENGINE)?.settings.contextSize ?? 0,
    );
  });
});

describe('repackedTypes', () => {
  it('follows the processor', () => {
    expect(repackedTypes('x64', ['sse4_2'])).toEqual([]);
    expect(repackedTypes('x64', ['avx2'])).not.toContain('Q8_0');
    expect(repackedTypes('x64', ['avx2', 'avx512f'])).toContain('Q2_K');
    expect(repackedTypes('x64', ['avx2', 'amx_int8'])).toContain('Q8_0');
    expect(repackedTypes('arm64', [])).toContain('Q8_0');
  });
});

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GgufInsights, getLlama, LlamaLogLevel, readGgufFileInfo } from 'node-llama-cpp';
import type { EngineSettings } from '../src/main/config/settings.ts';
import { readModelHeader } from '../src/main/engine/child/gguf-header.ts';
import { EMPTY_ENGINE_BYTES, type EngineTraits } from '../src/main/memory/backend.ts';
import { type Correction, corrected, learn } from '../src/main/memory/correction.ts';
import { predictLines } from '../src/main/memory/estimate.ts';
import { totalBytes } from '../src/main/memory/lines.ts';
import { createMemoryProbe } from '../src/main/memory/probe.ts';
import { checkBound, median, printTable } from './figures.ts';
import { type ModelRecipe, makeModel } from './make-model.ts';
import { measureEngine } from './measure-engine.ts';

/*
 * Predicted against measured memory, before the first load and after learning from one; and the library's own figures.
 * `--quick` takes the small F16 models only.
 */

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });

const SETTINGS: Omit<EngineSettings, 'threads'> = {
  contextSize: 2048,
  parallel: 2,
  batchSize: 256,
  flashAttention: 'auto',
  cacheType: 'f16',
  gpuLayers: 'max',
  chatTemplateFile: null,
};
/** What is learned at the first is tested at the second, whichever the model was trained for. */
const CONTEXT_SIZES = [2048, 8192] as const;
const SMALL_CONTEXT_SIZES = [256, 512] as const;
/** JavaScript's garbage comes and goes by megabytes: what is small is loaded three times, and the middle one counts. */
const REPEATED_BELOW_BYTES = 500e6;
const REPEATS = 3;

const { repackedTypes } = await createMemoryProbe().machine();
const engine: EngineTraits = { backend: 'cpu', repackedTypes, emptyBytes: EMPTY_ENGINE_BYTES };
const llama = await getLlama({
  build: 'never',
  gpu: false,
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
});

interface Row {
  readonly name: string;
  readonly contextSize: number;
  readonly predictedBytes: number;
  readonly measuredBytes: number;
  readonly libraryBytes: number;
  readonly emptyBytes: number;
  /** Error of the prediction for this context size after learning at the other one. */
  readonly learnedError: number | null;
}

async function measureFile(name: string, file: string): Promise<Row[]> {
  const header = readModelHeader(file);
  const sizes = (header.trainedContextSize ?? 0) < CONTEXT_SIZES[1] ? SMALL_CONTEXT_SIZES : CONTEXT_SIZES;
  const rows: Row[] = [];
  let correction: Correction | null = null;
  for (const contextSize of sizes) {
    const settings = { ...SETTINGS, contextSize };
    const loads = [];
    const repeats = header.fileBytes < REPEATED_BELOW_BYTES ? REPEATS : 1;
    for (let load = 0; load < repeats; load++) loads.push(await measureEngine(file, settings));
    const measuredBytes = median(loads.map((load) => load.peakBytes));
    const inThisUse = predictLines(header, settings, engine, {
      deepestTokens: loads[0]?.deepestTokens ?? 0,
    });
    const learned = correction && totalBytes(corrected(inThisUse, correction));
    rows.push({
      name,
      contextSize,
      predictedBytes: totalBytes(predictLines(header, settings, engine)),
      measuredBytes,
      libraryBytes: await libraryEstimate(file, settings),
      emptyBytes: median(loads.map((load) => load.emptyBytes)),
      learnedError: learned && relative(learned, measuredBytes),
    });
    for (const load of loads) {
      const predictedBytes = totalBytes(inThisUse);
      correction = learn(correction, { predictedBytes, measuredBytes: load.peakBytes });
    }
  }
  return rows;
}

/** node-llama-cpp's estimators: model and context, without the process. */
async function libraryEstimate(file: string, settings: typeof SETTINGS): Promise<number> {
  const insights = await GgufInsights.from(await readGgufFileInfo(file), llama);
  const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0 });
  const context = await insights.estimateContextResourceRequirementsV2({
    contextSize: settings.contextSize,
    modelGpuLayers: 0,
    sequences: settings.parallel,
    batchSize: settings.batchSize,
  });
  return model.cpuRam + context.cpuRam;
}

function relative(predicted: number, measured: number): number {
  return predicted / measured - 1;
}

function recipes(): ModelRecipe[] {
  const shapes = options.quick ? (['15m', '135m'] as const) : (['15m', '135m', '1b'] as const);
  const types = options.quick ? (['f16'] as const) : (['f16', 'q8_0', 'q4_0'] as const);
  const vocabularies = options.quick ? (['512', '128k'] as const) : (['512', '32k', '128k'] as const);
  const byBpe = types.flatMap((type) =>
    shapes.flatMap((shape) => vocabularies.map((vocab): ModelRecipe => ({ shape, type, vocab }))),
  );
  if (options.quick) return byBpe;
  return [
    ...byBpe,
    { shape: '15m', type: 'f16', vocab: '32k', tokenizer: 'spm' },
    { shape: '15m', type: 'f16', vocab: '128k', tokenizer: 'spm' },
    { shape: '135m', type: 'f16', vocab: '32k', separateOutput: true },
  ];
}

function nameOf(recipe: ModelRecipe): string {
  const { shape, type, vocab, tokenizer = 'bpe', separateOutput } = recipe;
  return [shape, type, vocab, tokenizer, ...(separateOutput ? ['untied'] : [])].join(' ');
}

const rows: Row[] = [];
const folder = mkdtempSync(join(tmpdir(), 'roundhouse-bench-'));
try {
  for (const recipe of recipes()) {
    const file = join(folder, 'model.gguf');
    console.error(nameOf(recipe));
    makeModel(recipe, file);
    rows.push(...(await measureFile(nameOf(recipe), file)));
    rmSync(file);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const shipped = [
  ['demo q8_0', resolve('resources/models/roundhouse-demo.gguf')],
  ['stories260K f32', resolve('../shared/models/stories260K.gguf')],
] as const;
for (const [name, file] of shipped) {
  if (existsSync(file)) rows.push(...(await measureFile(name, file)));
  else console.log(`${name}: ${file} is not there, left out`);
}
await llama.dispose();

const mib = (bytes: number) => (bytes / 1024 ** 2).toFixed(1);
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
printTable(
  ['model', 'context', 'predicted MiB', 'measured MiB', 'error', 'learned', 'library MiB', 'its error'],
  rows.map((row) => [
    row.name,
    row.contextSize,
    mib(row.predictedBytes),
    mib(row.measuredBytes),
    percent(relative(row.predictedBytes, row.measuredBytes)),
    row.learnedError === null ? '' : percent(row.learnedError),
    mib(row.libraryBytes),
    percent(relative(row.libraryBytes, row.measuredBytes)),
  ]),
);

const judged = rows.filter((row) => row.name.includes(' f16 '));
const worst = (errors: (number | null)[]) => 100 * Math.max(...errors.map((error) => Math.abs(error ?? 0)));
console.log(`\nAn empty engine: ${mib(median(rows.map((row) => row.emptyBytes)))} MiB`);
checkBound(
  'worst error before any load, F16, %',
  worst(judged.map((row) => relative(row.predictedBytes, row.measuredBytes))),
  10,
  'at most',
);
checkBound('worst error once learned, F16, %', worst(judged.map((row) => row.learnedError)), 3, 'at most');

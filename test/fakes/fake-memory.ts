import type {
  CallInput,
  EstimateView,
  MemoryLinesView,
  MemorySettingsView,
  MemoryView,
  ModelMemory,
  ModelView,
  PlanView,
} from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { formatBytes, formatDuration } from '../../src/shared/units.ts';

/*
 * Memory as the fake app counts it: plausible numbers from simple formulas.
 */

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Reserved beyond a prediction that was never measured. */
const MARGIN = 1.1;

export const DEFAULT_SETTINGS: MemorySettingsView = {
  contextSize: 8192,
  parallel: 2,
  batchSize: 512,
  cacheType: 'f16',
};

/** Of a total in GiB: mostly weights, a fifth cache. */
export function fakeLines(totalGib: number): MemoryLinesView {
  return {
    weightsBytes: 0.71 * totalGib * GIB,
    cacheBytes: 0.21 * totalGib * GIB,
    buffersBytes: 0.06 * totalGib * GIB,
    overheadBytes: 0.02 * totalGib * GIB,
  };
}

/** What a model holds, in GiB; `null` for what is not known. */
export function fakeMemory(predictedGib: number | null, measuredGib: number | null = null): ModelMemory {
  return {
    predictedBytes: predictedGib === null ? null : predictedGib * GIB,
    measuredBytes: measuredGib === null ? null : measuredGib * GIB,
    predicted: predictedGib === null ? null : fakeLines(predictedGib),
    measured: measuredGib === null ? null : fakeLines(measuredGib),
  };
}

/** What the header of a GGUF file says. */
interface FakeFile {
  readonly id: string;
  readonly name: string;
  readonly architecture: string;
  readonly quantization: string;
  readonly parameters: number;
  readonly trainedContextSize: number;
  readonly vocabulary: number;
  readonly weightsBytes: number;
  /** With an f16 cache. */
  readonly cacheBytesPerToken: number;
}

const QWEN: FakeFile = {
  id: 'qwen3-8b',
  name: 'Qwen3 8B',
  architecture: 'qwen3',
  quantization: 'Q4_K_M',
  parameters: 8.2e9,
  trainedContextSize: 40_960,
  vocabulary: 151_936,
  weightsBytes: 4.7 * GIB,
  cacheBytesPerToken: 147_456,
};
const FILES: readonly FakeFile[] = [
  QWEN,
  {
    ...QWEN,
    id: 'llama-3-3-70b',
    name: 'Llama 3.3 70B',
    architecture: 'llama',
    parameters: 70.6e9,
    trainedContextSize: 131_072,
    vocabulary: 128_256,
    weightsBytes: 39.6 * GIB,
    cacheBytesPerToken: 327_680,
  },
];
const DEMO: FakeFile = {
  id: 'roundhouse-demo',
  name: 'Roundhouse demo',
  architecture: 'llama',
  quantization: 'F16',
  parameters: 0.9e6,
  trainedContextSize: 2048,
  vocabulary: 2048,
  weightsBytes: 2 * MIB,
  cacheBytesPerToken: 1024,
};

/** @throws RoundhouseError `gguf_invalid` for files that are not GGUF or damaged, by their names */
function fakeFile(path: string): FakeFile {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!name.endsWith('.gguf')) {
    throw new RoundhouseError(
      'gguf_invalid',
      `${name} is not a GGUF file: it does not begin with \`GGUF\`. Choose a file whose name ends in \`.gguf\`.`,
    );
  }
  if (name.includes('damaged')) {
    throw new RoundhouseError(
      'gguf_invalid',
      `${name} is damaged: tensor 12 of 291 ends at byte 4,920,734,208, and the file has 1,073,741,824. Download it again.`,
    );
  }
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return FILES.find((file) => slug.startsWith(file.id)) ?? DEMO;
}

/** What this path would take with these settings, of the memory as it is now. */
export function fakeEstimate(
  path: string,
  asked: NonNullable<CallInput<'models.estimate'>['settings']>,
  memory: MemoryView,
  models: readonly ModelView[],
): EstimateView {
  const file = fakeFile(path);
  const settings: MemorySettingsView = {
    ...DEFAULT_SETTINGS,
    contextSize: Math.min(DEFAULT_SETTINGS.contextSize, file.trainedContextSize),
    ...given<MemorySettingsView>(asked),
  };
  const predicted = linesOf(file, settings);
  const totalBytes = totalOf(predicted);
  const line = (cacheType: MemorySettingsView['cacheType']) => {
    const baseBytes = totalOf(linesOf(file, { ...settings, cacheType, contextSize: 0 }));
    const atThousand = totalOf(linesOf(file, { ...settings, cacheType, contextSize: 1000 }));
    return { baseBytes, bytesPerContextToken: (atThousand - baseBytes) / 1000 };
  };
  const registered = models.find((model) => model.source?.path === path);
  return {
    path,
    fileBytes: file.weightsBytes + 6 * MIB,
    suggestedId: uniqueId(file.id, models),
    registeredAs: registered?.id ?? null,
    name: file.name,
    architecture: file.architecture,
    quantization: file.quantization,
    parameters: file.parameters,
    trainedContextSize: file.trainedContextSize,
    settings,
    predicted,
    totalBytes,
    lines: { f16: line('f16'), q8_0: line('q8_0'), q4_0: line('q4_0') },
    learned: file === DEMO,
    fit: largestFit(file, settings, memory.budgetBytes),
    plan: fakePlan(file.id, totalBytes * (file === DEMO ? 1 : MARGIN), memory, models),
  };
}

function linesOf(file: FakeFile, settings: MemorySettingsView): MemoryLinesView {
  const share = { f16: 1, q8_0: 0.53125, q4_0: 0.28125 }[settings.cacheType];
  return {
    weightsBytes: file.weightsBytes,
    cacheBytes: file.cacheBytesPerToken * share * settings.contextSize * settings.parallel,
    buffersBytes: file.vocabulary * settings.batchSize * 4 + 0.02 * file.weightsBytes,
    overheadBytes: 40 * MIB + file.vocabulary * 512,
  };
}

function totalOf(lines: MemoryLinesView): number {
  return lines.weightsBytes + lines.cacheBytes + lines.buffersBytes + lines.overheadBytes;
}

function largestFit(file: FakeFile, settings: MemorySettingsView, budgetBytes: number): EstimateView['fit'] {
  const floor = totalOf(linesOf(file, { ...settings, contextSize: 0 }));
  const perToken = totalOf(linesOf(file, { ...settings, contextSize: 1 })) - floor;
  const largest = Math.floor((budgetBytes / MARGIN - floor) / perToken / 256) * 256;
  const contextSize = Math.min(file.trainedContextSize, largest);
  if (contextSize < 512) return null;
  return { ...settings, contextSize, totalBytes: floor + contextSize * perToken };
}

/** What loading `neededBytes` would do: the idle ones go, longest idle first. */
export function fakePlan(
  id: string,
  neededBytes: number,
  memory: MemoryView,
  models: readonly ModelView[],
): PlanView {
  const { budgetBytes } = memory;
  const freeBytes = Math.max(0, budgetBytes - memory.reservedBytes);
  const numbers = { neededBytes, freeBytes, budgetBytes };
  const of = `${formatBytes(freeBytes)} free of ${formatBytes(budgetBytes)}`;
  const needs = `${id} needs ${formatBytes(neededBytes)}`;
  if (neededBytes > budgetBytes) {
    const text = `${needs}, more than the whole budget of ${formatBytes(budgetBytes)}.`;
    return { outcome: 'never', ...numbers, victims: [], text };
  }
  if (neededBytes <= freeBytes) {
    return { outcome: 'fits', ...numbers, victims: [], text: `${needs}, ${of}: fits.` };
  }
  const idle = models.filter(
    (model) => model.state.status === 'ready' && !model.pinned && model.activeRequests === 0,
  );
  const victims = idle.map((model) => ({
    id: model.id,
    bytes: MARGIN * (model.memory.predictedBytes ?? 0),
    idleMs: 240_000,
    reloadMs: model.lastLoadMs,
  }));
  const given = victims.reduce((sum, victim) => sum + victim.bytes, 0);
  if (neededBytes > freeBytes + given || victims.length === 0) {
    const text = `${needs}, ${of}: it would wait until a busy model is idle.`;
    return { outcome: 'waits', ...numbers, victims: [], text };
  }
  const names = victims.map((victim) => {
    const back = victim.reloadMs === null ? '' : `, back in ${formatDuration(victim.reloadMs)}`;
    return `${victim.id} (${formatBytes(victim.bytes)}, idle ${formatDuration(victim.idleMs)}${back})`;
  });
  const text = `${needs}, ${of}: would unload ${names.join(' and ')}.`;
  return { outcome: 'evicts', ...numbers, victims, text };
}

function uniqueId(id: string, models: readonly ModelView[]): string {
  const taken = new Set(models.map((model) => model.id));
  let name = id;
  for (let number = 2; taken.has(name); number += 1) name = `${id}-${number}`;
  return name;
}

function given<Values>(
  values: { readonly [Name in keyof Values]?: Values[Name] | undefined },
): Partial<Values> {
  // Leaves out fields; what is left keeps its type.
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<Values>;
}

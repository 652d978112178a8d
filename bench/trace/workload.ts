import { existsSync, readFileSync } from 'node:fs';
import { MODELS, type SimulatedModel, serviceMs } from './models.ts';
import { createRandom, shuffled } from './random.ts';

/*
 * Who asks which model when. Times and token counts are those of a trace, stretched; models are drawn by a Zipf law.
 */

export interface TraceRow {
  readonly atMs: number;
  readonly contextTokens: number;
  readonly generatedTokens: number;
}

export interface Arrival {
  readonly atMs: number;
  readonly model: SimulatedModel;
  readonly serviceMs: number;
}

export type Mix = 'fixed' | 'shifting';

const HOUR_MS = 3_600_000;
const ZIPF_EXPONENT = 1;

/** AzureLLMInferenceTrace_code.csv; `null` where it is not there. Times from the first row. */
export function readTrace(file: string): readonly TraceRow[] | null {
  if (!existsSync(file)) return null;
  const [, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const rows = lines.map((line) => {
    const [time = '', contextTokens, generatedTokens] = line.split(',');
    return {
      atMs: Date.parse(`${time.slice(0, 23).replace(' ', 'T')}Z`),
      contextTokens: Number(contextTokens),
      generatedTokens: Number(generatedTokens),
    };
  });
  const startMs = rows[0]?.atMs ?? 0;
  return rows.map((row) => ({ ...row, atMs: row.atMs - startMs }));
}

/** Requests at random, with lengths of about the same spread as the trace's. */
export function syntheticTrace(count: number, seed: number): readonly TraceRow[] {
  const random = createRandom(seed);
  let atMs = 0;
  return Array.from({ length: count }, () => {
    atMs += -Math.log(1 - random()) * 400;
    return {
      atMs,
      contextTokens: Math.round(Math.min(7500, 100 + -Math.log(1 - random()) * 2000)),
      generatedTokens: Math.round(Math.min(2000, 5 + -Math.log(1 - random()) * 23)),
    };
  });
}

/**
 * Stretches the trace to `perMinute` requests and gives each a model.
 * @param mix `fixed`: the popularity of each model stays; `shifting`: it is drawn anew each hour
 */
export function workload(
  trace: readonly TraceRow[],
  { mix, seed, hours, perMinute }: { mix: Mix; seed: number; hours: number; perMinute: number },
): readonly Arrival[] {
  const random = createRandom(seed);
  const lengthMs = (trace.at(-1)?.atMs ?? 0) + 1;
  const stretch = ((trace.length / perMinute) * 60_000) / lengthMs;
  const first = Math.floor(random() * trace.length);
  const weights = MODELS.map((_, rank) => 1 / (rank + 1) ** ZIPF_EXPONENT);
  const arrivals: Arrival[] = [];
  let ranked = shuffled(MODELS, random);
  let hour = 0;
  for (let index = first; ; index++) {
    const row = trace[index % trace.length];
    if (!row) return arrivals;
    const rounds = Math.floor(index / trace.length);
    const atMs = (row.atMs - (trace[first]?.atMs ?? 0) + rounds * lengthMs) * stretch;
    if (atMs >= hours * HOUR_MS) return arrivals;
    if (mix === 'shifting' && Math.floor(atMs / HOUR_MS) > hour) {
      hour = Math.floor(atMs / HOUR_MS);
      ranked = shuffled(MODELS, random);
    }
    const model = draw(ranked, weights, random);
    arrivals.push({ atMs, model, serviceMs: serviceMs(model.bytes, row.contextTokens, row.generatedTokens) });
  }
}

function draw<Item>(items: readonly Item[], weights: readonly number[], random: () => number): Item {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  const item = items.at(index);
  if (item === undefined) throw new Error('nothing to draw from');
  return item;
}

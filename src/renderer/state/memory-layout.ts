import type { MemoryView, ModelView, PlanView } from '../../shared/contract.ts';
import { isResident } from './describe-model.ts';

export type SegmentKind = 'other' | 'model' | 'predicted' | 'standby' | 'reserved';

/** A stretch of the memory bar. `start` and `share` are parts of the whole bar, between 0 and 1. */
export interface Segment {
  readonly id: string;
  readonly kind: SegmentKind;
  readonly label: string;
  /** Place of its model in the app's order, which gives the colour; `null` where it is not a model's. */
  readonly model: number | null;
  readonly bytes: number;
  readonly start: number;
  readonly share: number;
  /** Of the segment itself: weights and cache, between 0 and 1; the rest is buffers and the process. */
  readonly weights: number;
  readonly cache: number;
  /** Whether it would go, if what is pointed at were loaded. */
  readonly leaves: boolean;
}

/** Where a model that is pointed at would go. */
export interface Ghost {
  readonly label: string;
  readonly model: number;
  readonly bytes: number;
  readonly start: number;
  readonly share: number;
  readonly outcome: PlanView['outcome'];
}

export interface MemoryLayout {
  /** In the app's order, which is also from the left while nothing is pointed at; what is missing to 1 is free. */
  readonly segments: readonly Segment[];
  readonly ghost: Ghost | null;
  readonly totalBytes: number;
  readonly budgetBytes: number;
  /** Where engines must stop: the budget begins where other programs end. */
  readonly limit: number;
  /** Where what is held ends. */
  readonly heldTo: number;
  /** What can still be promised: of the budget, and of what other programs leave. */
  readonly freeBytes: number;
  readonly measuredBytes: number;
}

/** What loading a model would do, to be shown on the bar before it is done. */
export interface Preview {
  readonly modelId: string;
  readonly plan: PlanView;
}

/** Places are rounded to this, a fraction of a pixel: then small changes of the numbers draw nothing anew. */
const STEP = 1 / 4000;

type Piece = Pick<Segment, 'id' | 'kind' | 'label' | 'model' | 'bytes' | 'weights' | 'cache'>;

/**
 * The whole of the memory as a bar to scale, without its pixels. Segments never overlap; with a preview, those that
 * would be unloaded stand last, and the ghost begins where they do: in the place that is free once they are gone.
 */
export function layOutMemory(
  memory: MemoryView,
  models: readonly ModelView[],
  preview: Preview | null,
): MemoryLayout {
  const total = Math.max(1, memory.totalBytes);
  const held = models.flatMap((model, index) => (isResident(model) ? [pieceOf(model, index)] : []));
  const marginBytes = Math.max(0, memory.reservedBytes - memory.standbyBytes - sum(held));
  const pieces: readonly Piece[] = [
    plain('other', 'System', memory.otherBytes),
    ...held,
    plain('standby', 'Standby', memory.standbyBytes),
    plain('reserved', 'Margin', marginBytes),
  ].filter((piece) => piece.bytes > 0);

  const victims = new Set(preview?.plan.victims.map((victim) => `model:${victim.id}`));
  const places = new Map<string, { readonly start: number; readonly share: number }>();
  let at = 0;
  const place = (piece: Piece) => {
    const end = Math.min(total, at + piece.bytes);
    const start = round(at / total);
    places.set(piece.id, { start, share: round(end / total) - start });
    at = end;
  };
  for (const piece of pieces) if (!victims.has(piece.id)) place(piece);
  const keptBytes = at;
  for (const piece of pieces) if (victims.has(piece.id)) place(piece);

  return {
    segments: pieces.map((piece) => ({
      ...piece,
      ...(places.get(piece.id) ?? { start: 0, share: 0 }),
      leaves: victims.has(piece.id),
    })),
    ghost: preview === null ? null : ghostOf(preview, models, keptBytes, total),
    totalBytes: memory.totalBytes,
    budgetBytes: memory.budgetBytes,
    limit: round(Math.min(1, (memory.otherBytes + memory.budgetBytes) / total)),
    heldTo: round(at / total),
    freeBytes: Math.max(
      0,
      Math.min(memory.budgetBytes, memory.totalBytes - memory.otherBytes) - memory.reservedBytes,
    ),
    measuredBytes: models
      .filter(isResident)
      .reduce((all, model) => all + (model.memory.measuredBytes ?? 0), 0),
  };
}

function pieceOf(model: ModelView, index: number): Piece {
  const { measuredBytes, measured, predictedBytes, predicted } = model.memory;
  const lines = measured ?? predicted;
  const lineBytes =
    lines === null ? 0 : lines.weightsBytes + lines.cacheBytes + lines.buffersBytes + lines.overheadBytes;
  const part = (bytes: number | undefined) => (bytes === undefined || lineBytes <= 0 ? 0 : bytes / lineBytes);
  return {
    id: `model:${model.id}`,
    kind: measuredBytes === null ? 'predicted' : 'model',
    label: model.id,
    model: index,
    bytes: measuredBytes ?? predictedBytes ?? 0,
    // Where nothing is known of the parts, all of it is drawn as weights.
    weights: lineBytes <= 0 ? 1 : round(part(lines?.weightsBytes)),
    cache: round(part(lines?.cacheBytes)),
  };
}

function plain(kind: SegmentKind, label: string, bytes: number): Piece {
  return { id: kind, kind, label, model: null, bytes, weights: 1, cache: 0 };
}

function ghostOf(preview: Preview, models: readonly ModelView[], from: number, total: number): Ghost | null {
  const { plan, modelId } = preview;
  const model = models.findIndex((other) => other.id === modelId);
  if (model === -1 || plan.outcome === 'resident') return null;
  const start = round(from / total);
  const end = round(Math.min(total, from + plan.neededBytes) / total);
  return { label: modelId, model, bytes: plan.neededBytes, start, share: end - start, outcome: plan.outcome };
}

function round(share: number): number {
  return Math.round(share / STEP) * STEP;
}

function sum(pieces: readonly { readonly bytes: number }[]): number {
  return pieces.reduce((total, piece) => total + piece.bytes, 0);
}

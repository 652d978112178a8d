import { z } from 'zod';
import type { EngineRequest, StreamPart } from '../../shared/generation.ts';
import type { EngineSettings } from '../config/settings.ts';
import type { EngineHeader } from './protocol-estimate.ts';
import { fromChildOfPrefixes, type PrefixOffer, type ToChildOfPrefixes } from './protocol-prefix.ts';

/*
 * What crosses between the app and an engine child. The child trusts the app; the app checks what a child says.
 */

export interface LoadRequest {
  readonly path: string;
  /** What the estimator read: an engine reads no header itself. */
  readonly header: EngineHeader;
  readonly settings: Omit<EngineSettings, 'threads'>;
  /** CPU threads the engine may spin on at once. */
  readonly threads: number;
  /** Without it nothing is restored. */
  readonly prefixes?: PrefixOffer | undefined;
}

export type ToChild =
  | ({ readonly type: 'load' } & LoadRequest)
  | { readonly type: 'unload' }
  /** To an empty engine: give back what JavaScript only holds as garbage. */
  | { readonly type: 'collect' }
  | { readonly type: 'threads'; readonly threads: number }
  | { readonly type: 'generate'; readonly id: number; readonly request: EngineRequest }
  | { readonly type: 'abort'; readonly id: number }
  | ToChildOfPrefixes;

const errorJson = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  retryAfterMs: z.number().nullable(),
});

const loadedInfo = z.object({
  /** Tokens one slot holds: what was asked, rounded up as llama.cpp rounds it. */
  contextSize: z.int().positive(),
  trainContextSize: z.int().positive(),
  loadMs: z.number(),
  contextMs: z.number(),
  /** llama.cpp's own buffer sizes, in bytes, CPU and GPU together. */
  weightsBytes: z.number(),
  contextBytes: z.number(),
});
export type LoadedInfo = z.infer<typeof loadedInfo>;

/** Checks what a child sent. Parts are taken as they are: they are many, and the child is this program. */
export const fromChildSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    /** What Metal recommends a process to use at most; `null` where there is no Metal. */
    gpuBytes: z.number().nullable(),
    /** llama.cpp's version and the device it runs on: what states are saved by. */
    build: z.string(),
  }),
  z.object({ type: z.literal('alive') }),
  z.object({ type: z.literal('progress'), progress: z.number() }),
  z.object({ type: z.literal('loaded'), info: loadedInfo }),
  z.object({ type: z.literal('failed'), error: errorJson }),
  z.object({ type: z.literal('unloaded') }),
  z.object({ type: z.literal('collected') }),
  z.object({
    type: z.literal('parts'),
    parts: z.array(z.tuple([z.int(), z.custom<StreamPart>((part) => typeof part === 'object')])),
  }),
  ...fromChildOfPrefixes,
]);
export type FromChild = z.infer<typeof fromChildSchema>;

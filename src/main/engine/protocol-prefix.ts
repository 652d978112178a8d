import { z } from 'zod';

/*
 * What the app and an engine say to each other about saved prefixes: the states of slots, written to disk before a model
 * is unloaded and read back after its next load. The engine reads and writes the files it is told; which are worth their
 * bytes is the app's to decide (`prefix-store.ts`).
 */

/** What is saved of the model that is being loaded. */
export interface PrefixOffer {
  /** Folder of the files. Absolute. */
  readonly dir: string;
  readonly states: readonly OfferedPrefix[];
  /** What reading, checking and restoring took lately on this machine. */
  readonly restoreMsPerByte: number;
  /** What reading a prompt took when these were saved; `null` when nothing is saved. */
  readonly prefillMsPerToken: number | null;
}

export interface OfferedPrefix {
  /** File name in the offer's folder. */
  readonly file: string;
  readonly tokens: number;
  readonly bytes: number;
  /** Of the whole file. */
  readonly crc32: number;
}

export interface PrefixToSave {
  readonly slot: number;
  /** File name in the folder named with it; not there yet. */
  readonly file: string;
}

export type ToChildOfPrefixes =
  /** Answered by one `prefixes`. */
  | { readonly type: 'listPrefixes' }
  /** Answered by one `prefixSaved` for each that worked, then one `prefixesDone`. */
  | { readonly type: 'savePrefixes'; readonly dir: string; readonly saves: readonly PrefixToSave[] };

const heldPrefix = z.object({
  slot: z.int().nonnegative(),
  tokens: z.int().positive(),
  /** What its file will hold, about. */
  bytes: z.number(),
  /** What reading it again would take. */
  prefillMs: z.number(),
  /** Files whose tokens are the beginning of these: of no use once these are saved. */
  replaces: z.array(z.string()),
});
export type HeldPrefix = z.infer<typeof heldPrefix>;

const savedPrefix = z.object({
  file: z.string(),
  tokens: z.int().positive(),
  bytes: z.int().positive(),
  crc32: z.int().nonnegative(),
  /** Writing, and reading back for the checksum. */
  saveMs: z.number(),
});
export type SavedPrefix = z.infer<typeof savedPrefix>;

export const fromChildOfPrefixes = [
  /** After each generation: what the slots hold, what reading it again would take, and the most that one could save. */
  z.object({
    type: z.literal('held'),
    tokens: z.int().nonnegative(),
    prefillMs: z.number(),
    deepestTokens: z.int().nonnegative(),
  }),
  z.object({ type: z.literal('prefixes'), held: z.array(heldPrefix) }),
  z.object({ type: z.literal('prefixSaved'), saved: savedPrefix }),
  /** `failed`: why not all were saved, in the system's words. */
  z.object({ type: z.literal('prefixesDone'), failed: z.string().nullable() }),
  /** A saved prefix was restored into a slot. */
  z.object({
    type: z.literal('prefixRestored'),
    file: z.string(),
    bytes: z.number(),
    restoreMs: z.number(),
  }),
  /** A file is not what was saved, or cannot be read or restored. It was not handed to llama.cpp, or refused by it. */
  z.object({ type: z.literal('prefixBroken'), file: z.string(), reason: z.string() }),
] as const;
export type FromChildOfPrefixes = z.infer<(typeof fromChildOfPrefixes)[number]>;

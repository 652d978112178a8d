import type { AppEvent, CallInput, CallName, CallOutput, StreamInput, StreamName } from './contract.ts';
import type { ErrorJson } from './errors.ts';
import type { StreamPart } from './generation.ts';

/*
 * What the preload puts on `window.roundhouse`. Everything crosses by structured clone, which drops error classes:
 * failures travel as values, and the interface turns them back into `RoundhouseError`.
 */

export type BridgeResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: ErrorJson };

export type BridgeEnd = { readonly ok: true } | { readonly ok: false; readonly error: ErrorJson };

export interface BridgeStream {
  /** Asks the app to stop; `done` settles afterwards. Does nothing once the stream has ended. */
  cancel(): void;
  /** Settles after the last part was handed over; never rejects. */
  readonly done: Promise<BridgeEnd>;
}

export interface RoundhouseBridge {
  /** Never rejects. */
  call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<BridgeResult<CallOutput<Name>>>;
  stream<Name extends StreamName>(
    name: Name,
    input: StreamInput<Name>,
    onPart: (part: StreamPart) => void,
  ): BridgeStream;
  /** A snapshot at once, then each change, until the returned function is called. */
  subscribe(onEvent: (event: AppEvent) => void): () => void;
  /** Where a file dropped on the window lies on disk; empty when it does not lie on one. */
  pathForFile(file: BridgeFile): string;
}

/** The DOM's `File`, named by shape: this file is also compiled where there is no DOM. */
export interface BridgeFile {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
}

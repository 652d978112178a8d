import type { ErrorJson } from '../../../shared/errors.ts';
import type { AlertRow } from '../budgets.ts';
import type { StoreCallName } from './calls.ts';
import type { CorrectionRow } from './corrections.ts';

/*
 * What the app and the thread that has its database say to each other. Both are one program, built and started together,
 * and the thread knows nobody else: what arrives is what was sent, so types say enough here.
 */

/** What the thread is started with. */
export interface ThreadOrder {
  readonly file: string;
}

/** The first thing that the thread says. */
export type Opening =
  | {
      readonly type: 'opened';
      readonly movedAsideTo: string | null;
      readonly corrections: ReadonlyMap<string, CorrectionRow>;
      readonly alerts: readonly AlertRow[];
      /** The last request that has a row. */
      readonly lastRequestId: number;
    }
  | { readonly type: 'failed'; readonly error: ErrorJson };

/** Begun in the order in which they were sent. */
export interface Question {
  readonly id: number;
  readonly name: StoreCallName | 'close';
  readonly input: unknown;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorJson };

import { constants, setPriority } from 'node:os';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { EstimateReply, EstimateRequest } from '../protocol-estimate.ts';
import { readModelHeader } from './gguf-header.ts';
import { connectParent } from './parent.ts';

/*
 * A program of its own, which lives for one question: what does the header of this file say, and what would contexts of
 * these sizes take? Files come from anywhere, so they are not read in the main process.
 */

const parent = connectParent<EstimateRequest, EstimateReply>();
parent.onMessage((request) => {
  if (request.background) giveWay();
  void answer(request);
});

function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Then at the usual one: it is only a courtesy.
  }
}

async function answer(request: EstimateRequest): Promise<void> {
  parent.send(await reply(request));
}

async function reply({ file, contexts }: EstimateRequest): Promise<EstimateReply> {
  try {
    const header = readModelHeader(file);
    if (header.plainAttention || contexts.length === 0) return { type: 'header', header, contextBytes: null };
    // Only here, after the header was found sound: the library's own reader hangs or aborts on hostile files.
    const { contextBytes } = await import('./context-bytes.ts');
    return { type: 'header', header, contextBytes: await contextBytes(file, contexts) };
  } catch (error) {
    // Anything else is a fault of this program: it ends with a trace.
    if (!(error instanceof RoundhouseError)) throw error;
    return { type: 'refused', message: error.message };
  }
}

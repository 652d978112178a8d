import { RoundhouseError } from '../../../shared/errors.ts';
import type { EstimateReply, EstimateRequest } from '../protocol-estimate.ts';
import { readModelHeader } from './gguf-header.ts';
import { connectParent } from './parent.ts';

/*
 * A program of its own, which lives for one question: what does the header of this file say? Files come from anywhere,
 * so they are not read in the main process.
 */

const parent = connectParent<EstimateRequest, EstimateReply>();
parent.onMessage((request) => parent.send(reply(request)));

function reply(request: EstimateRequest): EstimateReply {
  try {
    return { type: 'header', header: readModelHeader(request.file) };
  } catch (error) {
    // Anything else is a fault of this program: it ends with a trace.
    if (!(error instanceof RoundhouseError)) throw error;
    return { type: 'refused', message: error.message };
  }
}

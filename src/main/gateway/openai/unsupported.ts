import { RoundhouseError } from '../../../shared/errors.ts';

/** A parameter that changes the answer and that this server cannot honour yet. */
interface Unsupported {
  readonly param: string;
  /** True for a value that asks for it; the neutral ones (left out, null, false, empty) are let through. */
  readonly asks: (value: unknown) => boolean;
  readonly what: string;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
const isFilled = (value: unknown): boolean => isGiven(value) && !(Array.isArray(value) && value.length === 0);
const isPositive = (value: unknown): boolean => isGiven(value) && value !== false && value !== 0;

/*
 * Hints (`verbosity`, `prediction`, `service_tier`, `store`) are ignored: an answer without them is still a right
 * answer.
 */
export const UNSUPPORTED_IN_CHAT: readonly Unsupported[] = [
  { param: 'logprobs', asks: isPositive, what: 'Log probabilities are' },
  { param: 'top_logprobs', asks: isPositive, what: 'Log probabilities are' },
  { param: 'modalities', asks: asksForAudio, what: 'Output other than text is' },
  { param: 'audio', asks: isGiven, what: 'Audio output is' },
  { param: 'web_search_options', asks: isGiven, what: 'Web search is' },
];

export const UNSUPPORTED_IN_COMPLETIONS: readonly Unsupported[] = [
  { param: 'suffix', asks: (value) => isGiven(value) && value !== '', what: 'Filling in before a suffix is' },
  {
    param: 'best_of',
    asks: (value) => isGiven(value) && value !== 1,
    what: 'Choosing the best of several is',
  },
  // Zero asks too: for the log probability of each chosen token.
  { param: 'logprobs', asks: (value) => isGiven(value) && value !== false, what: 'Log probabilities are' },
];

/** @throws RoundhouseError `unsupported_parameter` naming the first of `table` that `body` asks for */
export function refuseUnsupported(table: readonly Unsupported[], body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const { param, asks, what } of table) {
    if (!Object.hasOwn(body, param) || !asks(Reflect.get(body, param))) continue;
    throw new RoundhouseError(
      'unsupported_parameter',
      `${what} not supported yet: leave "${param}" out of the request.`,
      { param },
    );
  }
}

function asksForAudio(value: unknown): boolean {
  return isFilled(value) && !(Array.isArray(value) && value.every((kind) => kind === 'text'));
}

import type { UsageFigures } from '../../../shared/usage-contract.ts';
import type { StageKind } from '../../state/waterfall.ts';

export interface StageLook {
  readonly label: string;
  readonly colour: string;
}

/** Each stage has its colour, and its name stands beside it wherever there is room for more than a sketch. */
export const STAGES: Readonly<Record<StageKind, StageLook>> = {
  queue: { label: 'queue', colour: 'var(--edge)' },
  load: { label: 'load', colour: 'var(--model-3)' },
  prefill: { label: 'prefill', colour: 'var(--model-2)' },
  first: { label: 'first token', colour: 'color-mix(in srgb, var(--model-2) 45%, var(--card))' },
  answer: { label: 'answer', colour: 'var(--model-0)' },
};

/** What a stage of a request is called: a provider does not say what it does until its first token. */
export function stageLabel(kind: StageKind, { prefillMs }: UsageFigures): string {
  return kind === 'first' && prefillMs === null ? 'provider' : STAGES[kind].label;
}

import { assertNever } from '../../../shared/assert-never.ts';
import type { ToolCall } from '../../../shared/generation.ts';
import type { Delta } from './usage-tally.ts';

/** What one choice of an answer says. */
export interface ChoiceContent {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
}

/** Puts the pieces of one choice together. That each tool call began has been seen before. */
export class ChoiceBuilder {
  #text = '';
  #reasoning = '';
  /** By their index in the stream; in the order in which they began. */
  readonly #calls = new Map<number, { id: string; name: string; arguments: string }>();

  add(delta: Delta): void {
    switch (delta.type) {
      case 'text-delta':
        this.#text += delta.text;
        return;
      case 'reasoning-delta':
        this.#reasoning += delta.text;
        return;
      case 'tool-call-start':
        this.#calls.set(delta.index, { id: delta.id, name: delta.name, arguments: '' });
        return;
      case 'tool-call-delta': {
        const call = this.#calls.get(delta.index);
        if (call !== undefined) call.arguments += delta.argumentsText;
        return;
      }
      default:
        assertNever(delta);
    }
  }

  content(): ChoiceContent {
    return { text: this.#text, reasoning: this.#reasoning, toolCalls: [...this.#calls.values()] };
  }
}

import { sampleOf } from '../../../src/main/providers/mock/sample.ts';
import type { JsonObject } from '../../../src/shared/generation.ts';

/*
 * What stands in for a model behind the fake protocols. Its answers tell what it was sent, so that a test of the answer
 * is a test of the way there as well.
 */

export const KNOWN_MODEL = 'fake-model';

/** Real names of vendors' models are known too: their SDKs and APIs treat some of them otherwise. */
export function isKnown(model: string): boolean {
  return model === KNOWN_MODEL || /^(gpt|claude|gemini)-/.test(model);
}

/** The context of the model, in characters. */
export const CONTEXT = 5000;

/** A request, out of the vendor's form. */
export interface Heard {
  readonly system: string;
  /** The text of the last message that is not a tool's. */
  readonly text: string;
  /** `image/png 68` for each picture and file: its type and how many bytes came, or where it lies. */
  readonly media: readonly string[];
  /** `name: text` for each result that came after the last answer. */
  readonly results: readonly string[];
  readonly tools: readonly { readonly name: string; readonly parameters: JsonObject }[];
  readonly choice: 'auto' | 'none' | 'required' | { readonly name: string };
  /** `null` = text; `true` = any JSON. */
  readonly schema: JsonObject | true | null;
  readonly maxTokens: number | null;
  /** Whether thinking was asked for. */
  readonly thinks: boolean;
}

export interface Reply {
  readonly thoughts: readonly string[];
  /** In pieces. */
  readonly text: readonly string[];
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: JsonObject }[];
  readonly finish: 'stop' | 'length' | 'tool-calls' | 'content-filter';
}

/** What every answer says that it used. Cached and written are of the prompt, thinking is of the answer. */
export const USED = { prompt: 20, cached: 8, written: 4, completion: 10, thinking: 3 } as const;

export function reply(heard: Heard): Reply {
  const thoughts = heard.thinks ? ['Let me ', 'think…'] : [];
  const calls = callsOf(heard);
  if (calls.length > 0) return { thoughts, text: [], calls, finish: 'tool-calls' };
  const whole = pieces(textOf(heard));
  const text = heard.maxTokens === null ? whole : whole.slice(0, heard.maxTokens);
  if (heard.text.includes('forbidden'))
    return { thoughts, text: text.slice(0, 1), calls, finish: 'content-filter' };
  return { thoughts, text, calls, finish: text.length < whole.length ? 'length' : 'stop' };
}

function textOf({ system, text, media, results, schema }: Heard): string {
  if (schema !== null) return JSON.stringify(schema === true ? { any: 'JSON' } : sampleOf(schema));
  if (results.length > 0) return `The tools said ${results.join(' and ')}.`;
  if (media.length > 0) return `I see ${media.join(' and ')}.`;
  return `${system === '' ? '' : `(${system}) `}You said “${text}” 🚂`;
}

/** A tool is called when one is demanded, and for the weather; two when it is for both. */
function callsOf({ tools, choice, text, results }: Heard): Reply['calls'] {
  const forced = typeof choice === 'object' ? tools.filter(({ name }) => name === choice.name) : tools;
  if (choice === 'none' || forced.length === 0 || results.length > 0) return [];
  if (choice === 'auto' && !text.includes('weather')) return [];
  const called = text.includes('both') ? [forced[0], forced[0]] : [forced[0]];
  return called.flatMap((tool, index) =>
    tool === undefined
      ? []
      : [
          {
            id: `call_${index}`,
            name: tool.name,
            arguments: Object(sampleOf(tool.parameters)) as JsonObject,
          },
        ],
  );
}

/** Each of a few characters, so that an emoji may be split from its sentence but never in itself. */
function pieces(text: string): readonly string[] {
  return text.match(/.{1,6}/gsu) ?? [];
}

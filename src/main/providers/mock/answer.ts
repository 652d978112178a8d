import { z } from 'zod';
import { type GenerationRequest, type StreamPart, textOf } from '../../../shared/generation.ts';
import type { MockSettings } from '../../config/settings.ts';
import { sampleOf } from './sample.ts';

export interface MockAnswer {
  /** In order; each counts as one token. */
  readonly parts: readonly StreamPart[];
  readonly reason: 'stop' | 'length' | 'tool-calls';
}

/** What a script writes in place of text to have a tool called. */
const callSchema = z.object({ tool: z.string(), arguments: z.record(z.string(), z.json()).default({}) });

/**
 * What a mock answers: the script's text, or what it was asked. Tools are called when the request demands one, or when
 * the text is `{"tool": "name", "arguments": {…}}` and names one of them; a demanded form is kept.
 */
export function mockAnswer(request: GenerationRequest, script: MockSettings['script']): MockAnswer {
  const asked = lastText(request);
  const text = script.find(({ when }) => when === null || asked.includes(when))?.answer ?? asked;
  const call = callOf(text, request);
  if (call !== null) return { parts: callParts(call.tool, call.arguments), reason: 'tool-calls' };
  const formed = inForm(text, request);
  const stops = request.stop.map((stop) => formed.indexOf(stop)).filter((at) => at !== -1);
  const tokens = tokensOf(stops.length === 0 ? formed : formed.slice(0, Math.min(...stops)));
  const most = request.maxTokens ?? Number.POSITIVE_INFINITY;
  return {
    parts: tokens.slice(0, most).map((token) => ({ type: 'text-delta', text: token })),
    reason: tokens.length > most ? 'length' : 'stop',
  };
}

/** Words with the space before them: about what models call tokens. Joined they are the text. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function lastText({ prompt }: GenerationRequest): string {
  switch (prompt.kind) {
    case 'chat':
      return textOf(prompt.messages.at(-1) ?? { content: '' });
    case 'text':
      return prompt.text;
    default:
      return prompt.tokens.join(' ');
  }
}

function callOf(text: string, { tools }: GenerationRequest): z.infer<typeof callSchema> | null {
  if (tools === null || tools.choice === 'none') return null;
  const scripted = callSchema.safeParse(parsed(text)).data;
  if (scripted !== undefined && tools.tools.some(({ name }) => name === scripted.tool)) return scripted;
  if (tools.choice === 'auto') return null;
  const wanted = tools.choice === 'required' ? tools.tools[0]?.name : tools.choice.name;
  const tool = tools.tools.find(({ name }) => name === wanted);
  if (tool === undefined) return null;
  const sample = sampleOf(tool.parameters ?? { type: 'object' });
  return callSchema.parse({ tool: tool.name, arguments: sample });
}

/** The id is the same each time, as everything of a mock. */
function callParts(name: string, args: object): readonly StreamPart[] {
  const json = JSON.stringify(args);
  const middle = Math.ceil(json.length / 2);
  return [
    { type: 'tool-call-start', index: 0, id: `call_${name}`, name },
    { type: 'tool-call-delta', index: 0, argumentsText: json.slice(0, middle) },
    { type: 'tool-call-delta', index: 0, argumentsText: json.slice(middle) },
  ];
}

function inForm(text: string, { responseFormat: format }: GenerationRequest): string {
  if (format === null || parsed(text) !== undefined) return text;
  return format.type === 'json_object'
    ? JSON.stringify({ answer: text })
    : JSON.stringify(sampleOf(format.schema));
}

/** `undefined` for what is no JSON object. */
function parsed(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}

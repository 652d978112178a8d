import type { Candidate, Content, GenerateContentResponse, Part } from '@google/genai';
import type { JsonObject } from '../../../src/shared/generation.ts';
import { CONTEXT, type Heard, isKnown, KNOWN_MODEL, type Reply, reply, USED } from './brain.ts';
import {
  type Protocol,
  type Recorded,
  serveWire,
  type WireAnswer,
  WireRefusal,
  type WireServer,
} from './wire-server.ts';

/*
 * Google's Gemini API: generateContent and its stream, models and embeddings. Typed by its SDK where that has what goes
 * over the wire (its class of an answer has getters beside).
 */

type Answer = Pick<
  GenerateContentResponse,
  'candidates' | 'usageMetadata' | 'modelVersion' | 'responseId' | 'promptFeedback'
>;

interface Body {
  readonly contents: readonly Content[];
  readonly systemInstruction?: Content;
  readonly tools?: readonly {
    readonly functionDeclarations?: readonly {
      name: string;
      parameters?: unknown;
      parametersJsonSchema?: unknown;
    }[];
  }[];
  readonly toolConfig?: {
    readonly functionCallingConfig?: { mode?: string; allowedFunctionNames?: string[] };
  };
  readonly generationConfig?: {
    readonly maxOutputTokens?: number;
    readonly responseMimeType?: string;
    readonly responseSchema?: JsonObject;
    readonly responseJsonSchema?: JsonObject;
    readonly thinkingConfig?: { readonly includeThoughts?: boolean };
  };
}

export function serveGoogle(key: string): Promise<WireServer> {
  return serveWire({
    answer(request) {
      if (request.headers['x-goog-api-key'] !== key) {
        throw refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
        });
      }
      const url = new URL(request.path, 'http://fake');
      if (/^\/v1(beta)?\/models$/.test(url.pathname)) return models(url.searchParams);
      const [, model, method] = /^\/v1(?:beta)?\/models\/([^:]+):(\w+)$/.exec(url.pathname) ?? [];
      if (model === undefined || !isKnown(model)) throw unknownModel(model ?? '');
      return call(model, method ?? '', request);
    },
    refusal: (status) =>
      errorBody(status, status === 429 ? 'RESOURCE_EXHAUSTED' : 'INTERNAL', `refused with ${status}`),
    errorEvent: event(errorBody(503, 'UNAVAILABLE', 'The model is overloaded.')),
  } satisfies Protocol);
}

function call(model: string, method: string, { body }: Recorded): WireAnswer {
  if (method === 'embedContent')
    return { status: 200, body: { embedding: { values: vectorOf((body as EmbedBody).content, 0) } } };
  if (method === 'batchEmbedContents') {
    const { requests } = body as { requests: readonly EmbedBody[] };
    return {
      status: 200,
      body: { embeddings: requests.map(({ content }, index) => ({ values: vectorOf(content, index) })) },
    };
  }
  const asked = body as Body;
  checkTurns(asked.contents);
  if (model.startsWith('gemini-3')) checkSignatures(asked.contents);
  if (JSON.stringify(asked.contents).length > CONTEXT) {
    throw refusal(
      400,
      'INVALID_ARGUMENT',
      'The input token count (6000) exceeds the maximum number of tokens allowed (5000).',
    );
  }
  const answer = reply(heardOf(asked));
  const answers = events(answer);
  if (method === 'streamGenerateContent') return { status: 200, body: answers.map(event) };
  return { status: 200, body: merged(answers) };
}

/** As many results as calls, in one turn after them: what the API insists on. */
function checkTurns(contents: readonly Content[]): void {
  let calls = 0;
  for (const { role, parts = [] } of contents) {
    if (role !== 'user' && role !== 'model' && role !== 'function') {
      throw refusal(400, 'INVALID_ARGUMENT', 'Please use a valid role: user, model.');
    }
    const results = parts.filter(({ functionResponse }) => functionResponse).length;
    if (results !== calls) {
      throw refusal(
        400,
        'INVALID_ARGUMENT',
        'Please ensure that the number of function response parts is equal to the number of function call parts.',
      );
    }
    calls = parts.filter(({ functionCall }) => functionCall).length;
  }
}

/** Its newer models want back what they signed, or the value that the documentation gives for those who cannot. */
function checkSignatures(contents: readonly Content[]): void {
  const parts = contents.map(({ parts: all = [] }) => all.find(({ functionCall }) => functionCall));
  if (parts.every((part) => part === undefined || part.thoughtSignature)) return;
  throw refusal(
    400,
    'INVALID_ARGUMENT',
    'Function call is missing a thought_signature in functionCall parts.',
  );
}

function heardOf({
  contents,
  systemInstruction,
  tools = [],
  toolConfig,
  generationConfig = {},
}: Body): Heard {
  const last = contents.at(-1)?.parts ?? [];
  const { mode, allowedFunctionNames } = toolConfig?.functionCallingConfig ?? {};
  const forced = allowedFunctionNames?.[0];
  return {
    system: textIn(systemInstruction?.parts ?? []),
    text: textIn(last),
    media: contents.flatMap(({ parts = [] }) => parts.flatMap((part) => mediaOf(part))),
    results: last.flatMap(({ functionResponse }) =>
      functionResponse ? [`${functionResponse.name}: ${resultOf(functionResponse.response)}`] : [],
    ),
    tools: tools.flatMap(({ functionDeclarations = [] }) =>
      functionDeclarations.map(({ name, parameters, parametersJsonSchema }) => ({
        name,
        parameters: (parametersJsonSchema ?? parameters ?? { type: 'object' }) as JsonObject,
      })),
    ),
    choice:
      mode === 'NONE'
        ? 'none'
        : mode === 'ANY'
          ? forced === undefined
            ? 'required'
            : { name: forced }
          : 'auto',
    schema:
      generationConfig.responseJsonSchema ??
      generationConfig.responseSchema ??
      (generationConfig.responseMimeType === 'application/json' ? true : null),
    maxTokens: generationConfig.maxOutputTokens ?? null,
    thinks: generationConfig.thinkingConfig?.includeThoughts === true,
  };
}

function textIn(parts: readonly Part[]): string {
  return parts.map(({ text = '' }) => text).join('');
}

function resultOf(response: Record<string, unknown> | undefined): string {
  return String(response?.content ?? response?.output ?? response?.result ?? JSON.stringify(response));
}

function mediaOf({ inlineData, fileData }: Part): string[] {
  if (inlineData) return [`${inlineData.mimeType} ${Buffer.from(inlineData.data ?? '', 'base64').length}`];
  return fileData?.fileUri ? [fileData.fileUri] : [];
}

const FINISH = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'content-filter': 'SAFETY',
} as const;

/** The values of the SDK's enumerations are what goes over the wire. */
function events({ thoughts, text, calls, finish }: Reply): Answer[] {
  const parts: Part[] = [
    ...thoughts.map((thought) => ({ text: thought, thought: true })),
    ...text.map((piece) => ({ text: piece })),
    ...calls.map(({ name, arguments: args }) => ({
      functionCall: { name, args },
      thoughtSignature: 'c2lnbmVk',
    })),
  ];
  const answers: Answer[] = parts.map((part) => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [part] } }],
    modelVersion: KNOWN_MODEL,
    responseId: 'response-1',
  }));
  const last = {
    index: 0,
    content: { role: 'model', parts: [{ text: '' }] },
    finishReason: FINISH[finish],
  } as Candidate;
  return [
    ...answers,
    {
      candidates: [last],
      usageMetadata: {
        promptTokenCount: USED.prompt,
        cachedContentTokenCount: USED.cached,
        candidatesTokenCount: USED.completion - USED.thinking,
        thoughtsTokenCount: USED.thinking,
        totalTokenCount: USED.prompt + USED.completion,
      },
      modelVersion: KNOWN_MODEL,
      responseId: 'response-1',
    },
  ];
}

function merged(answers: readonly Answer[]): Answer {
  const parts = answers.flatMap(({ candidates = [] }) => candidates[0]?.content?.parts ?? []);
  const last = answers.at(-1);
  return { ...last, candidates: [{ ...last?.candidates?.[0], content: { role: 'model', parts } }] };
}

interface EmbedBody {
  readonly content: Content;
}

function vectorOf(content: Content, index: number): number[] {
  return [textIn(content.parts ?? []).length, index, 0.5];
}

/** In pages of one, so that whoever stops after the first has missed some. */
function models(query: URLSearchParams): WireAnswer {
  const all = [
    {
      name: `models/${KNOWN_MODEL}`,
      displayName: 'Fake Model',
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ['generateContent', 'countTokens', 'createCachedContent'],
      thinking: true,
    },
    {
      name: 'models/fake-embedding',
      displayName: 'Embedding',
      inputTokenLimit: 2048,
      supportedGenerationMethods: ['embedContent'],
    },
    { name: 'models/fake-painter', supportedGenerationMethods: ['predict'] },
  ];
  const from = Number(query.get('pageToken') ?? 0);
  const next = from + 1 < all.length ? { nextPageToken: String(from + 1) } : {};
  return { status: 200, body: { models: all.slice(from, from + 1), ...next } };
}

function unknownModel(model: string): WireRefusal {
  return refusal(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version v1beta, or is not supported for generateContent.`,
  );
}

function refusal(status: number, name: string, message: string, ...details: object[]): WireRefusal {
  return new WireRefusal(status, errorBody(status, name, message, ...details));
}

function errorBody(code: number, status: string, message: string, ...details: object[]): object {
  return { error: { code, message, status, ...(details.length > 0 && { details }) } };
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

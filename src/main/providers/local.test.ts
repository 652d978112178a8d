import { expect, test } from 'vitest';
import { collect } from '../../../test/fakes/collect.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import {
  type ContentPart,
  type EngineRequest,
  type GenerationRequest,
  NO_SAMPLING,
  PLAIN,
  type StreamPart,
} from '../../shared/generation.ts';
import { loadConfig } from '../config/load.ts';
import { NO_OVERRIDES } from '../config/outside.ts';
import { localModels } from '../config/settings.ts';
import { createLocalBackend } from './local.ts';

const NEVER = new AbortController().signal;
const PARTS: StreamPart[] = [
  { type: 'text-delta', text: 'Hi' },
  { type: 'finish', reason: 'stop' },
  {
    type: 'usage',
    promptTokens: 1,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: 1,
    reasoningTokens: 0,
    prefillMs: 1,
    decodeMs: 1,
  },
];
const TOOL = { name: 'f', description: null, parameters: null, strict: null };

function setUp() {
  const config = loadConfig({
    file: '/m.yaml',
    text: 'models: { demo: { file: a } }',
    env: {},
    overrides: NO_OVERRIDES,
    home: '/h',
    resourcesDir: '/r',
  });
  if ('problems' in config) throw new Error(JSON.stringify(config.problems));
  const settings = localModels(config.settings)[0] ?? null;
  const acquired: string[] = [];
  const engineRequests: EngineRequest[] = [];
  const backend = createLocalBackend({
    clock: new ManualClock(),
    settingsOf: () => settings,
    acquire: async (modelId) => {
      acquired.push(modelId);
      return { [Symbol.dispose]: () => {} };
    },
    engineOf: () => ({
      async *generate(request) {
        engineRequests.push(request);
        yield* PARTS;
      },
    }),
    randomSeed: () => 1,
    finished: () => {},
  });
  return {
    backend,
    acquired,
    engineRequests,
    ask: (fields: Partial<GenerationRequest>) =>
      collect(
        backend.generate(
          'demo',
          {
            prompt: { kind: 'chat', messages: [{ role: 'user', content: 'Hi' }] },
            maxTokens: null,
            stop: [],
            sampling: NO_SAMPLING,
            ...PLAIN,
            ...fields,
          },
          NEVER,
        ).parts,
      ),
  };
}

const saying = (...content: readonly ContentPart[]): Partial<GenerationRequest> => ({
  prompt: { kind: 'chat', messages: [{ role: 'user', content }] },
});

test.each<[capability: string, param: string, fields: Partial<GenerationRequest>]>([
  ['image_input', 'messages', saying({ type: 'image', url: 'https://x/y.png', detail: null })],
  ['audio_input', 'messages', saying({ type: 'audio', base64: 'AAAA', format: 'wav' })],
  [
    'document_input',
    'messages',
    saying({ type: 'file', base64: 'AAAA', mediaType: 'application/pdf', name: null }),
  ],
  ['function_calling', 'tools', { tools: { tools: [TOOL], choice: 'auto', parallel: null } }],
  ['json_mode', 'response_format', { responseFormat: { type: 'json_object' } }],
  [
    'structured_output',
    'response_format',
    { responseFormat: { type: 'json_schema', name: 'a', description: null, schema: {}, strict: null } },
  ],
])('what engines cannot do is refused before a slot is asked for: %s', async (capability, param, fields) => {
  const { ask, acquired } = setUp();
  expect(await ask(fields)).toEqual([
    {
      type: 'error',
      error: {
        code: 'capability_missing',
        message: expect.stringMatching(
          new RegExp(
            `^demo runs on this machine, where models cannot .+ \\(${capability}\\); ask for a model`,
          ),
        ),
        param,
        retryAfterMs: null,
      },
    },
  ]);
  expect(acquired).toEqual([]);
});

test('hints are no reason to refuse', async () => {
  const { ask, engineRequests } = setUp();
  const tools = { tools: [TOOL], choice: 'none', parallel: true } as const;
  expect(await ask({ tools, reasoningEffort: 'high', user: 'ann' })).toEqual(PARTS);
  expect(engineRequests[0]?.prompt).toEqual({ kind: 'chat', messages: [{ role: 'user', content: 'Hi' }] });
});

test('texts in parts, and the result of a tool, reach the engine as text', async () => {
  const { ask, engineRequests } = setUp();
  await ask({
    prompt: {
      kind: 'chat',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'one' },
            { type: 'text', text: 'two' },
          ],
        },
        { role: 'tool', content: '42', toolCallId: 'a' },
      ],
    },
  });
  expect(engineRequests[0]?.prompt).toEqual({
    kind: 'chat',
    messages: [
      { role: 'user', content: 'one\ntwo' },
      { role: 'tool', content: '42' },
    ],
  });
});

test('texts cannot be embedded yet', async () => {
  const { backend, acquired } = setUp();
  const refused = backend.embed('demo', ['a'], { dimensions: null }, NEVER);
  await expect(refused).rejects.toBeInstanceOf(RoundhouseError);
  await expect(refused).rejects.toMatchObject({ code: 'capability_missing', param: 'model' });
  expect(acquired).toEqual([]);
});

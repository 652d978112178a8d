import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RoundhouseError } from '../../../shared/errors.ts';
import { parseChatRequest } from './chat-request.ts';
import { parseCompletionRequest } from './completion-request.ts';
import { parseEmbeddingRequest } from './embedding-request.ts';

/** What a body can be refused with: nothing else is documented, and nothing else would be a 400. */
const REFUSALS = ['invalid_request', 'unsupported_parameter', 'unsupported_content'];

const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const schema = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true, maxKeys: 4 });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));

const textPart = fc.record({ type: fc.constant('text'), text: fc.string() });
const mediaPart = fc.oneof(
  fc.record({
    type: fc.constant('image_url'),
    image_url: fc.record({
      url: fc.oneof(
        fc.webUrl({ validSchemes: ['https'] }),
        base64.map((data) => `data:image/png;base64,${data}`),
      ),
      detail: fc.constantFrom(null, 'auto', 'low', 'high'),
    }),
  }),
  fc.record({
    type: fc.constant('input_audio'),
    input_audio: fc.record({ data: base64, format: fc.constantFrom('wav', 'mp3') }),
  }),
  fc.record({
    type: fc.constant('file'),
    file: fc.record({
      filename: maybe(name),
      file_data: base64.map((data) => `data:application/pdf;base64,${data}`),
    }),
  }),
);
const call = fc.record({
  id: name,
  type: fc.constant('function'),
  function: fc.record({ name, arguments: fc.json() }),
});
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer'), content: fc.string() }),
  fc.record({
    role: fc.constant('user'),
    content: fc.oneof(fc.string(), fc.array(fc.oneof(textPart, mediaPart), { maxLength: 4 })),
  }),
  fc.record({
    role: fc.constant('assistant'),
    content: maybe(fc.string()),
    tool_calls: fc.array(call, { maxLength: 3 }),
  }),
  fc.record({ role: fc.constant('tool'), content: fc.string(), tool_call_id: name }),
);
const tool = name.chain((own) =>
  fc.record({
    type: fc.constant('function'),
    function: fc.record({
      name: fc.constant(own),
      description: maybe(fc.string()),
      parameters: maybe(schema),
      strict: maybe(fc.boolean()),
    }),
  }),
);

/** A body as a client could send it, with every field that is read here by hand. */
const rightBody = fc.record({
  model: maybe(name),
  messages: fc.array(message, { minLength: 1, maxLength: 5 }),
  tools: fc.uniqueArray(tool, { selector: (entry) => entry.function.name, minLength: 1, maxLength: 4 }),
  tool_choice: fc.constantFrom(null, 'auto', 'none', 'required'),
  parallel_tool_calls: maybe(fc.boolean()),
  response_format: fc.oneof(
    fc.constantFrom(null, { type: 'text' }, { type: 'json_object' }),
    fc.record({
      type: fc.constant('json_schema'),
      json_schema: fc.record({ name, schema, strict: maybe(fc.boolean()) }),
    }),
  ),
  reasoning_effort: fc.constantFrom(null, 'none', 'low', 'high'),
  user: maybe(name),
  n: fc.integer({ min: 1, max: 3 }),
});

test('whatever is right is read, and nothing of it is lost', () => {
  fc.assert(
    fc.property(rightBody, (body) => {
      const { requests } = parseChatRequest(body);
      expect(requests).toHaveLength(body.n);
      for (const request of requests) {
        const messages = request.prompt.kind === 'chat' ? request.prompt.messages : [];
        expect(messages).toHaveLength(body.messages.length);
        for (const [index, sent] of body.messages.entries()) {
          const read = messages[index];
          const calls = 'tool_calls' in sent ? sent.tool_calls : [];
          expect(read?.toolCalls ?? []).toEqual(calls.map(({ id, function: asked }) => ({ id, ...asked })));
          if (typeof sent.content === 'string') expect(read?.content).toBe(sent.content);
          else if (typeof read?.content === 'object')
            expect(read.content).toHaveLength(sent.content?.length ?? 0);
        }
        expect(request.tools?.tools).toEqual(body.tools.map((entry) => entry.function));
        expect(request.tools?.choice).toBe(body.tool_choice ?? 'auto');
        expect(request.responseFormat?.type ?? 'text').toBe(body.response_format?.type ?? 'text');
        expect(request.reasoningEffort).toBe(body.reasoning_effort);
        expect(request.user).toBe(body.user);
      }
    }),
  );
});

type Path = readonly string[];

/** Every place of a value, its own included. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key]))];
}

function replaced(whole: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined || typeof whole !== 'object' || whole === null) return value;
  const inner = replaced(Reflect.get(whole, key), rest, value);
  if (Array.isArray(whole)) return whole.map((entry, index) => (String(index) === key ? inner : entry));
  return { ...whole, [key]: inner };
}

const wrongValue = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    undefined,
    '',
    'x',
    0,
    -1,
    0.5,
    Number.POSITIVE_INFINITY,
    true,
    [],
    [null],
    {},
    [[]],
  ),
  fc.jsonValue(),
);

/** A right body in which something else stands at one place, any of all. */
const wrongBody = fc.tuple(rightBody, fc.nat(), wrongValue).map(([body, choice, value]) => {
  const places = placesOf(body);
  return replaced(body, places[choice % places.length] ?? [], value);
});

test.each([
  ['chat', parseChatRequest],
  ['completions', parseCompletionRequest],
  ['embeddings', parseEmbeddingRequest],
] as const)(
  'whatever comes as a body of %s is read, or refused as documented with a field it has',
  (_name, parse) => {
    const anyBody = fc.oneof(
      wrongBody,
      wrongBody.map((body) => ({ prompt: 'x', input: ['x'], model: 'demo', ...Object(body) })),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(anyBody, (body) => {
        try {
          parse(body);
        } catch (error) {
          if (!(error instanceof RoundhouseError)) throw error;
          expect(REFUSALS).toContain(error.code);
          expect(error.message.length).toBeLessThan(500);
          if (typeof body === 'object' && body !== null && !Array.isArray(body))
            expect(error.param).toMatch(/^\w/);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

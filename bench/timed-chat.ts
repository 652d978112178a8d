export interface TimedAnswer {
  readonly text: string;
  readonly completionTokens: number;
  /** From sending the request to the first text. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
}

/** One streamed chat over HTTP, at temperature 0, timed from outside. */
export async function timedChat(
  url: string,
  model: string,
  content: string,
  maxTokens: number,
): Promise<TimedAnswer> {
  const startMs = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content }],
      temperature: 0,
      max_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  let text = '';
  let firstTokenMs = 0;
  let completionTokens = 0;
  for await (const line of linesOf(response.body)) {
    if (!line.startsWith('data: {')) continue;
    const chunk = JSON.parse(line.slice('data: '.length));
    if (chunk.error) throw new Error(chunk.error.message);
    const delta: string = chunk.choices[0]?.delta?.content ?? '';
    if (delta !== '' && text === '') firstTokenMs = performance.now() - startMs;
    text += delta;
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
  }
  return { text, completionTokens, firstTokenMs, totalMs: performance.now() - startMs };
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

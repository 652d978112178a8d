import { Agent, request } from 'node:http';

export interface TimedAnswer {
  readonly text: string;
  readonly completionTokens: number;
  /** From sending the request to the first text. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
}

/** One connection, kept, as a program that uses the port keeps it; nothing of a larger client's own cost is measured. */
export function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

const shared = oneConnection();

/** One streamed chat over HTTP, at temperature 0, timed from outside. @param more fields of the request's body */
export function timedChat(
  url: string,
  model: string,
  content: string,
  maxTokens: number,
  agent: Agent = shared,
  more: object = {},
): Promise<TimedAnswer> {
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content }],
    temperature: 0,
    max_tokens: maxTokens,
    stream: true,
    stream_options: { include_usage: true },
    ...more,
  });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const { promise, resolve, reject } = Promise.withResolvers<TimedAnswer>();
  const startMs = performance.now();
  const asked = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
    let received = '';
    let firstTokenMs = 0;
    response.setEncoding('utf8');
    response.on('data', (data: string) => {
      received += data;
      if (firstTokenMs === 0 && FIRST_TEXT.test(received)) firstTokenMs = performance.now() - startMs;
    });
    response.on('error', reject);
    response.on('end', () => {
      const totalMs = performance.now() - startMs;
      try {
        resolve({ ...readChunks(received), firstTokenMs, totalMs });
      } catch (error) {
        reject(error);
      }
    });
  });
  asked.on('error', reject);
  asked.end(body);
  return promise;
}

const FIRST_TEXT = /"content":"[^"]/;

function readChunks(received: string): Pick<TimedAnswer, 'text' | 'completionTokens'> {
  if (!received.endsWith('data: [DONE]\n\n')) throw new Error(received);
  let text = '';
  let completionTokens = 0;
  for (const line of received.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const chunk = JSON.parse(line.slice('data: '.length));
    text += chunk.choices[0]?.delta?.content ?? '';
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
  }
  return { text, completionTokens };
}

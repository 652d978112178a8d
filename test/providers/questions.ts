import type { JsonObject, StreamPart, Tool } from '../../src/shared/generation.ts';
import type { Fixture } from './harness.ts';

/* What the tests of answers ask with, and how they look at what comes. */

export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const PNG_BYTES = Buffer.from(PNG, 'base64').length;

export const WEATHER: Tool = {
  name: 'get_weather',
  description: 'What the sky does',
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string', enum: ['Zürich', 'Paris'] },
      days: { type: 'integer', minimum: 2 },
    },
    required: ['city', 'days'],
  },
  strict: null,
};
export const WEATHER_CALL = { city: 'Zürich', days: 2 };
export const PERSON: JsonObject = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 18 } },
  required: ['name', 'age'],
  additionalProperties: false,
};

/** Tool calls with their arguments joined, by index. */
export function finishOf(parts: readonly StreamPart[]): string | undefined {
  return parts.flatMap((part) => (part.type === 'finish' ? [part.reason] : []))[0];
}

/** What arrived at the server last. */
export function bodyAt({ server }: Fixture): Record<string, unknown> {
  return server.requests.at(-1)?.body as Record<string, unknown>;
}

import { z } from 'zod';
import type { Api } from '../api.ts';
import type { RemoteModel } from '../provider.ts';
import { listedModel } from './listed-model.ts';

/** Some servers answer with the bare list. */
const listSchema = z.union([z.array(z.unknown()), z.looseObject({ data: z.array(z.unknown()) })]);

/**
 * `GET /models`, as OpenAI and all that are compatible have it.
 * @throws RoundhouseError; ZodError when the answer is no list
 */
export async function modelList(api: Api, signal: AbortSignal): Promise<readonly RemoteModel[]> {
  const answer = listSchema.parse(await api.get('/models', signal));
  const entries = Array.isArray(answer) ? answer : answer.data;
  return entries.flatMap((entry) => listedModel(entry) ?? []);
}

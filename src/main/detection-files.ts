import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { CAPABILITIES, type Capability } from '../shared/capabilities.ts';
import type { Detection, DetectionCache } from './providers/models/discovery.ts';

const support = z.enum(['yes', 'no']);
const price = z.string().nullable();
const detectionSchema = z.object({
  // Two providers whose names differ in capitals alone have one file where the disk takes them for the same.
  provider: z.string(),
  detectedAtMs: z.number(),
  models: z.array(
    z.object({
      remoteId: z.string(),
      name: z.string(),
      contextSize: z.number().nullable(),
      maxOutputTokens: z.number().nullable(),
      capabilities: z.partialRecord(z.enum(CAPABILITIES), support),
      ownedBy: z.string().nullable(),
      pricing: z.object({ input: price, output: price, cachedInput: price, cacheWrite: price }).nullable(),
    }),
  ),
});

/**
 * What providers said of their models, a file each.
 * @param dir absolute; made when there is something to keep
 */
export function createDetectionFiles(dir: string): DetectionCache {
  // A provider's name is letters, digits and `._-`, and never begins with a dot.
  const fileOf = (provider: string) => join(dir, `${provider}.json`);
  return {
    async read(provider): Promise<Detection | null> {
      const text = await readFile(fileOf(provider), 'utf8').catch(() => null);
      const parsed = text === null ? null : detectionSchema.safeParse(parseJson(text));
      return parsed?.success && parsed.data.provider === provider ? withoutUndefined(parsed.data) : null;
    },
    async write(provider, detection): Promise<void> {
      // It is asked again some time: what cannot be kept is no failure of what was asked.
      await mkdir(dir, { recursive: true, mode: 0o700 })
        .then(() =>
          writeFileAtomic(fileOf(provider), JSON.stringify({ provider, ...detection }), { mode: 0o600 }),
        )
        .catch(() => undefined);
    },
  };
}

function withoutUndefined({ detectedAtMs, models }: z.output<typeof detectionSchema>): Detection {
  return {
    detectedAtMs,
    models: models.map((model) => ({
      ...model,
      // What is there has a value.
      capabilities: model.capabilities as Partial<Record<Capability, 'yes' | 'no'>>,
    })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

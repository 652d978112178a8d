import { writeFileSync } from 'node:fs';
import { modelsJsonSchema } from '../src/shared/config-schema.ts';

/** Writes resources/models.schema.json, which a test holds against the zod schema. */
const target = new URL('../resources/models.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(modelsJsonSchema(), null, 2)}\n`);

import { modelList } from '../models/model-list.ts';
import { allSampling, compatibleDialect, connectCompatible } from './openai-compatible.ts';
import { bearer, ignoresNothing, type Vendor } from './vendor.ts';

/** Many vendors behind OpenAI's chat completions. */
export const openrouter: Vendor = {
  kind: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  dialect: compatibleDialect(allSampling),
  headers: bearer,
  connect: connectCompatible,
  ignores: ignoresNothing,
  listModels: modelList,
  // Its list needs no key.
  pingPath: '/key',
  detectors: [],
};

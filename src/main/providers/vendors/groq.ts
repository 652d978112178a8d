import { modelList } from '../models/model-list.ts';
import { compatibleDialect, connectCompatible, standardSampling } from './openai-compatible.ts';
import { bearer, ignoresNothing, type Vendor } from './vendor.ts';

/** Groq, by its OpenAI-compatible API. */
export const groq: Vendor = {
  kind: 'groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  dialect: compatibleDialect(standardSampling),
  headers: bearer,
  async connect(connection) {
    return { ...(await connectCompatible(connection)), embeddingModel: null };
  },
  ignores: ignoresNothing,
  listModels: modelList,
  pingPath: '/models',
  detectors: [],
};

import { GgufInsights } from 'node-llama-cpp';

const NOTHING = { cpuRam: 0, gpuVram: 0 };

/**
 * node-llama-cpp loads every model and context twice: once without allocating, to estimate what the real load will take,
 * and then in earnest. Admission is the app's, and with `ignoreMemorySafetyChecks` the estimates are not even looked at,
 * so the first of the two is left out: it costs a third of a second for a vocabulary of 128k.
 *
 * Source: `LlamaModel._create`, `LlamaContext._create` of node-llama-cpp 3.22. `bench/swap` shows when this stops working.
 */
export function skipEstimates(): void {
  GgufInsights.prototype.estimateModelResourceRequirementsV2 = async () => ({ ...NOTHING });
  GgufInsights.prototype.estimateContextResourceRequirementsV2 = async () => ({ ...NOTHING });
}

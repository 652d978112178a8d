import type { ModelSettings } from '../src/main/config/settings.ts';
import { ProviderRegistry } from '../src/main/registry/provider-registry.ts';
import { Registry } from '../src/main/registry/registry.ts';
import { resolveModel } from '../src/main/routing/resolve.ts';
import { settingsOf } from '../test/fakes/configs.ts';
import { checkBound, median, quantile } from './figures.ts';
import { createRandom } from './trace/random.ts';

/*
 * How long it takes to find out what a name means among 10,000 models, and to take a model in or out.
 */

const MODELS = 10_000;
const ASKED = 50_000;
const WRONG = 500;
const CHANGES = 2_000;

const random = createRandom(1);
const settings = settingsOf(`
providers: { openai: { type: openai, aliases: [gpt] } }
models: { template: { file: /m/x.gguf } }
`);
const [template] = settings.models;
if (!template) throw new Error('there is no model to copy');
const idOf = (index: number) => `org-${index % 97}/some-model-${index}-instruct`;
const models = Array.from(
  { length: MODELS },
  (_, index): ModelSettings => ({ ...template, id: idOf(index), aliases: [`m${index}`] }),
);
const tiers = Array.from({ length: 9 }, (_, tier) => ({
  name: `tier${tier}`,
  models: [`m${tier}`, 'gpt/gpt-4.1', `m${tier + 100}`],
}));

const providers = new ProviderRegistry(() => Promise.reject(new Error('nobody asks it')));
providers.configure(settings.providers);
const registry = new Registry(providers);

function microseconds(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) * 1000;
}

const constructionUs = microseconds(() =>
  registry.configure({ models, tiers, routing: { default: 'tier:tier0' } }),
);

const facts = {
  isUnusable: () => false,
  knowledgeOf: () => ({
    stage: 'production' as const,
    replacement: null,
    retirementDate: null,
    capabilities: {},
  }),
};
const anyIndex = () => Math.floor(random() * MODELS);
const forms: readonly (readonly [string, () => string])[] = [
  ['id', () => idOf(anyIndex())],
  ['alias', () => `m${anyIndex()}`],
  ['provider/model', () => `gpt/gpt-${anyIndex()}`],
  ['tier', () => `tier:tier${Math.floor(random() * tiers.length)}`],
];
let worst = 0;
for (const [form, name] of forms) {
  const times: number[] = [];
  for (let count = 0; count < ASKED; count++) {
    const asked = name();
    times.push(microseconds(() => resolveModel(asked, registry, facts)));
  }
  worst = Math.max(worst, quantile(times, 0.99));
  console.log(`${form}: median ${median(times).toFixed(2)} µs, p99 ${quantile(times, 0.99).toFixed(2)} µs`);
}

const wrong: number[] = [];
for (let count = 0; count < WRONG; count++) {
  const name = `org/some-modle-${anyIndex()}`;
  wrong.push(
    microseconds(() => {
      registry.nearest(name);
    }),
  );
}
const changes: number[] = [];
for (let count = 0; count < CHANGES; count++) {
  const model = { ...template, id: `late-${count}`, aliases: [`l${count}`] };
  changes.push(microseconds(() => registry.register(model)));
  changes.push(microseconds(() => registry.unregister(`l${count}`)));
}
console.log(`${MODELS} models are taken in within ${(constructionUs / 1000).toFixed(1)} ms`);
console.log(`the nearest three of a wrong name: median ${(median(wrong) / 1000).toFixed(1)} ms`);
console.log(`registering or taking out one: median ${median(changes).toFixed(2)} µs`);
checkBound('lookup among 10,000 models, µs (p99 of the slowest form)', worst, 1000, 'at most');

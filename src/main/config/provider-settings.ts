import type { ModelsYaml } from '../../shared/config-schema.ts';
import { KEY_VARIABLES } from '../../shared/provider-kinds.ts';
import type { Budget } from '../../shared/usage-contract.ts';
import type { Environment, YamlSource } from '../yaml/yaml-source.ts';
import type { ProviderSettings } from './settings.ts';

/** What `providers` of models.yaml means, in the order of the file. */
export function providerSettings(
  { providers }: Pick<ModelsYaml, 'providers'>,
  source: YamlSource,
  env: Environment,
): readonly ProviderSettings[] {
  return source.keysOf(['providers']).flatMap((name) => {
    const provider = providers[name];
    if (!provider) return [];
    const variable = source.variableAt(['providers', name, 'apiKey']);
    return [providerSettingsOf(name, provider, variable, env)];
  });
}

/** Names and aliases of the providers → names. */
export function providerNames(providers: readonly Pick<ProviderSettings, 'name' | 'aliases'>[]) {
  return new Map(providers.flatMap(({ name, aliases }) => [name, ...aliases].map((any) => [any, name])));
}

/** @param scopes names and aliases of providers, and of models, each → its name */
export function budgetSettings(
  { budgets }: Pick<ModelsYaml, 'budgets'>,
  scopes: { readonly providers: ReadonlyMap<string, string>; readonly models: ReadonlyMap<string, string> },
): readonly Budget[] {
  return budgets.map(({ scope, limit, alertAt, ...budget }) => ({
    ...budget,
    scope: scopeOf(scope, scopes),
    limitNanoDollars: Math.round(limit * 1e9),
    alertAt: [...new Set(alertAt)].sort((a, b) => a - b),
  }));
}

function scopeOf(
  scope: ModelsYaml['budgets'][number]['scope'],
  { providers, models }: Parameters<typeof budgetSettings>[1],
): Budget['scope'] {
  if (scope === 'all' || 'user' in scope) return scope;
  return 'provider' in scope
    ? { provider: providers.get(scope.provider) ?? scope.provider }
    : { model: models.get(scope.model) ?? scope.model };
}

/** @param variable that the file reads the key from; `null` when it does not */
export function providerSettingsOf(
  name: string,
  provider: ModelsYaml['providers'][string],
  variable: string | null,
  env: Environment,
): ProviderSettings {
  const common = {
    name,
    kind: provider.type,
    aliases: provider.aliases,
    timeoutMs: provider.timeout,
    limits: {
      requestsPerMinute: provider.limits.requestsPerMinute ?? null,
      tokensPerMinute: provider.limits.tokensPerMinute ?? null,
    },
  };
  if (provider.type === 'mock') {
    const { latency, tokensPerSecond, errorRate, errorKinds, script, cutAfterTokens } = provider;
    return {
      ...common,
      baseUrl: null,
      apiKey: null,
      apiKeyFrom: null,
      discover: false,
      mock: {
        latencyMs: latency,
        tokensPerSecond,
        errorRate,
        errorKinds,
        script,
        cutAfterTokens: cutAfterTokens ?? null,
      },
    };
  }
  const usual = KEY_VARIABLES[provider.type];
  // The usual variable holds a key for the usual address; it is not sent to another unless models.yaml says so.
  const fromUsual = usual !== null && provider.baseUrl === undefined ? env[usual]?.trim() : undefined;
  return {
    ...common,
    baseUrl: provider.baseUrl ?? null,
    // `${OPENAI_API_KEY:-}` is nothing where the variable is not set.
    apiKey: (provider.apiKey === undefined ? fromUsual : provider.apiKey) || null,
    apiKeyFrom: variable ?? usual,
    discover: provider.discover,
    mock: null,
  };
}

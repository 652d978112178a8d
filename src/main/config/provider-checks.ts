import type { ConfigProblem } from '../../shared/contract.ts';
import { type CheckInput, isLoopback, problemAt, suggest } from './check-input.ts';
import { providerNames } from './provider-settings.ts';

/** Provider aliases that are taken, and addresses that must not be asked. */
export function checkProviders(input: CheckInput): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { providers } = input.config;
  const owners = new Map(Object.keys(providers).map((name) => [name, name]));
  for (const name of input.source.keysOf(['providers'])) {
    const provider = providers[name];
    for (const [index, alias] of (provider?.aliases ?? []).entries()) {
      const owner = owners.get(alias);
      owners.set(alias, owner ?? name);
      if (owner === undefined) continue;
      const clash = owner === alias ? `the name of \`${owner}\`` : `an alias of \`${owner}\``;
      const message = `"${alias}" is already ${clash}; give \`${name}\` another alias`;
      problems.push(problemAt(input, ['providers', name, 'aliases', index], message));
    }
    const baseUrl = provider && 'baseUrl' in provider ? provider.baseUrl : undefined;
    const wrong = baseUrl === undefined ? null : wrongWith(baseUrl, input.config.server);
    if (wrong !== null) problems.push(problemAt(input, ['providers', name, 'baseUrl'], wrong));
  }
  return problems;
}

/** Why an address must not be asked; `null` when it may. */
function wrongWith(baseUrl: string, server: { readonly host: string; readonly port: number }): string | null {
  const url = URL.parse(baseUrl);
  if (url === null) return 'this is not an address; write one such as http://mac-studio.local:8000/v1';
  if (url.search !== '' || url.hash !== '')
    return 'an address ends with its path; take the part from ? or # out';
  const { hostname } = url;
  // Where clouds answer with a machine's own secrets, and nothing that is worth asking lives.
  if (/^169\.254\./.test(hostname) || /^\[fe[89ab][0-9a-f]:/.test(hostname)) {
    return `${hostname} is a link-local address, which is never asked; write the name of the machine`;
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (port !== server.port || !(isLoopback(hostname) || hostname === server.host)) return null;
  return `${url.host} is where this Roundhouse itself answers; write the address of another`;
}

export function checkRemoteModels(input: CheckInput): readonly ConfigProblem[] {
  const providers = namesIn(input);
  return Object.entries(input.config.models).flatMap(([id, model]) => {
    if (!('provider' in model) || providers.has(model.provider)) return [];
    return [problemAt(input, ['models', id, 'provider'], noProvider(input, model.provider))];
  });
}

/** True for `provider/model`, with the name or an alias of a provider that there is. */
export function isOfProvider(input: CheckInput, name: string): boolean {
  const slash = name.indexOf('/');
  return slash > 0 && slash < name.length - 1 && namesIn(input).has(name.slice(0, slash));
}

export function isProvider(input: CheckInput, name: string): boolean {
  return namesIn(input).has(name);
}

export function noProvider(input: CheckInput, name: string): string {
  return `no provider is called "${name}"; ${suggest(name, [...namesIn(input).keys()], 'add it under providers')}`;
}

function namesIn({ config }: CheckInput): ReadonlyMap<string, string> {
  return providerNames(Object.entries(config.providers).map(([name, { aliases }]) => ({ name, aliases })));
}

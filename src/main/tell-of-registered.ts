import type { ModelSettings, ProviderSettings } from './config/settings.ts';

/** Says what was registered at run time and had to give its name to models.yaml. */
export function tellOfRegistered(
  providers: readonly ProviderSettings[],
  models: readonly ModelSettings[],
  say: (text: string) => void,
): void {
  const gone = [
    ...providers.map(({ name }) => `The provider ${name}`),
    ...models.map(({ id }) => `The model ${id}`),
  ];
  for (const what of gone) {
    say(
      `${what} was registered at run time, and models.yaml uses one of its names now: it is no longer registered.`,
    );
  }
}

import { hostname, networkInterfaces } from 'node:os';
import type { ServerSettings } from './config/settings.ts';
import type { OwnAddress } from './providers/base-url.ts';

/** Under which names and addresses this app answers; `null` while it does not. */
export function ownAddress(
  url: string,
  { host, allowedHosts }: Pick<ServerSettings, 'host' | 'allowedHosts'>,
): OwnAddress | null {
  if (url === '') return null;
  const addresses = Object.values(networkInterfaces()).flatMap((one) =>
    (one ?? []).map(({ address }) => address),
  );
  const names = allowedHosts.map((name) => name.replace(/:\d+$/, ''));
  return { port: Number(new URL(url).port || 80), hosts: [host, hostname(), ...names, ...addresses] };
}

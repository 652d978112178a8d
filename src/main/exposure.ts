import { isLoopback } from './config/check-input.ts';
import type { Settings } from './config/settings.ts';

/**
 * What to say at the start when the port is open to other machines and yet answers none of them, as one line; `null`
 * otherwise.
 */
export function exposureNotice(server: Pick<Settings['server'], 'host' | 'allowedHosts'>): string | null {
  if (isLoopback(server.host) || server.allowedHosts.length > 0) return null;
  return (
    `Listening on ${server.host}, but other machines are refused until server.allowedHosts in models.yaml names the ` +
    'host they use for this one, such as its name or address.'
  );
}

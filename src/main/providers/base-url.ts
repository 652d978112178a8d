import { BlockList, isIP } from 'node:net';
import { RoundhouseError } from '../../shared/errors.ts';

/** Where this app itself listens. */
export interface OwnAddress {
  readonly port: number;
  /** Names and addresses of this machine, beyond the loopback ones. */
  readonly hosts: readonly string[];
}

const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8);
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addAddress('0.0.0.0');
LOCAL.addAddress('::', 'ipv6');

/** Among them the address where clouds hand out their machines' credentials. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16);
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

/**
 * The address of a provider's API, without a slash at its end.
 * @param own `null` while the app does not listen
 * @throws RoundhouseError `config_invalid`
 */
export function checkedBaseUrl(provider: string, text: string, own: OwnAddress | null): URL {
  const wrong = (what: string) =>
    new RoundhouseError('config_invalid', `providers.${provider}.baseUrl in models.yaml ${what}`);
  if (!URL.canParse(text)) throw wrong('is no address; one is such as http://mac-studio.local:8000/v1');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong('must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') throw wrong('holds a password; give the key as apiKey');
  if (url.search !== '' || url.hash !== '') throw wrong('must end with its path, without ? and #');
  const host = url.hostname.replace(/^\[|[\].]$/g, '').toLowerCase();
  if (listed(LINK_LOCAL, host)) throw wrong(`names ${host}: link-local addresses are not asked`);
  if (own !== null && portOf(url) === own.port && isThisMachine(host, own)) {
    throw wrong(`is Roundhouse's own address (port ${own.port}): it would ask itself without end`);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

function isThisMachine(host: string, own: OwnAddress): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || listed(LOCAL, host)) return true;
  return own.hosts.some((name) => name.toLowerCase() === host);
}

/** An IPv4 address within an IPv6 one counts as itself. */
function listed(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** A host and its port as the `Host` header and origins write them. */
export interface Authority {
  /** Lower case; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | null;
}

/** Reads `name`, `name:4141`, `[::1]:4141`; `null` for anything else, also for a bare IPv6 address. */
export function parseAuthority(text: string): Authority | null {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::(\d{1,5}))?$/i.exec(text);
  if (!match?.[1]) return null;
  return { host: match[1].toLowerCase(), port: match[2] === undefined ? null : Number(match[2]) };
}

/** Whether an address or a name to listen on reaches only this machine. */
export function isLoopback(address: string): boolean {
  const host = address.toLowerCase();
  if (host === 'localhost' || host === '::1' || host === '[::1]') return true;
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host);
}

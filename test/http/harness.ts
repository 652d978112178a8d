import { onTestFinished } from 'vitest';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/main/gateway/gateway.ts';
import { FakeGatewayPorts } from '../fakes/fake-gateway-ports.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

export interface Harness {
  readonly ports: FakeGatewayPorts;
  readonly clock: ManualClock;
  readonly gateway: Gateway;
  /** What was logged as an error. */
  readonly logged: string[];
}

/** A gateway on fakes that does not listen yet; closed when the test ends. */
export function harness(options: Partial<GatewayOptions> = {}, ports = new FakeGatewayPorts()): Harness {
  const clock = new ManualClock();
  const logged: string[] = [];
  const log = { warn: () => {}, error: (_fields: object, message: string) => void logged.push(message) };
  const gateway = createGateway(ports, { clock, log, ...options });
  onTestFinished(() => gateway.close());
  return { ports, clock, gateway, logged };
}

/** The same, listening on a free port of 127.0.0.1. */
export async function listening(
  options: Partial<GatewayOptions> = {},
  ports = new FakeGatewayPorts(),
): Promise<Harness & { readonly url: string; readonly port: number }> {
  const made = harness(options, ports);
  return { ...made, ...(await made.gateway.listen('127.0.0.1', 0)) };
}

export function postJson(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Everything that `items` gives, once it has ended. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const HELLO = { model: 'demo', messages: [{ role: 'user', content: 'Hello' }] };

import type { FromChild, LoadedInfo, ToChild } from '../../src/main/engine/protocol.ts';
import type { ChildHandle } from '../../src/main/engine/spawn.ts';
import type { EngineRequest, StreamPart } from '../../src/shared/generation.ts';
import { GREEDY } from '../fixtures/greedy.ts';

type Exit = { code: number | null; signal: string | null };

/** Something to ask of a child that answers what the test says. */
export const SCRIPTED_REQUEST: EngineRequest = {
  prompt: { kind: 'text', text: 'Hi' },
  maxTokens: 3,
  stop: [],
  sampling: GREEDY,
};

export const SCRIPTED_INFO: LoadedInfo = {
  contextSize: 2048,
  trainContextSize: 2048,
  loadMs: 1,
  contextMs: 1,
  weightsBytes: 1,
  contextBytes: 1,
};

/** An engine child that does only what the test says. A kill ends it when the test lets it, at once by default. */
export class ScriptedChild implements ChildHandle {
  readonly pid: number | undefined;
  readonly sent: ToChild[] = [];
  killed = false;
  /** False: a kill is noted, and `exit` is the test's to call, as real ends come later. */
  diesAtOnce = true;
  #onMessage: (message: unknown) => void = () => {};
  #onExit: (exit: Exit) => void = () => {};
  readonly #waiting: { readonly type: ToChild['type']; readonly resolve: () => void }[] = [];

  constructor(pid: number | undefined = 1) {
    this.pid = pid;
  }

  send(message: unknown): void {
    // The engine under test sends nothing else.
    const sent = message as ToChild;
    this.sent.push(sent);
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.type === sent.type) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (exit: Exit) => void): void {
    this.#onExit = listener;
  }

  kill(): void {
    if (this.killed) return;
    this.killed = true;
    if (this.diesAtOnce) this.exit({ code: null, signal: 'SIGKILL' });
  }

  say(message: FromChild): void {
    this.#onMessage(message);
  }

  /** What no child of this program would say. */
  babble(message: unknown): void {
    this.#onMessage(message);
  }

  saysReady(): void {
    this.say({ type: 'ready', gpuBytes: null, build: 'scripted' });
  }

  saysLoaded(): void {
    this.say({ type: 'loaded', info: SCRIPTED_INFO });
  }

  saysParts(id: number, ...parts: StreamPart[]): void {
    this.say({ type: 'parts', parts: parts.map((part) => [id, part]) });
  }

  exit(exit: Exit): void {
    this.#onExit(exit);
  }

  /** Resolves when a message of `type` has been sent, or is. */
  async told(type: ToChild['type']): Promise<void> {
    if (this.sentTypes().includes(type)) return;
    await new Promise<void>((resolve) => this.#waiting.push({ type, resolve }));
  }

  sentTypes(): ToChild['type'][] {
    return this.sent.map((message) => message.type);
  }
}

import type { WebContents, WebFrameMain } from 'electron';
import { z } from 'zod';
import type { BridgeEnd, BridgeResult } from '../../shared/bridge.ts';
import { type AppApi, CALLS, isCallName, isStreamName, STREAMS } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { IPC } from '../../shared/ipc-channels.ts';
import { APP_ORIGIN } from './app-scheme.ts';

const idSchema = z.uuid();

/**
 * The one way from a window's page into the app. Each message must come from the window's own main frame, showing
 * the app's own origin, and must fit the contract's schema; whatever fails goes back as a value. Streams and
 * subscriptions end with the page that asked for them.
 */
export function connectInterface(contents: WebContents, api: AppApi): void {
  const open = new Map<string, () => void>();

  function isOurs(frame: WebFrameMain | null): boolean {
    return frame !== null && frame === contents.mainFrame && frame.origin === APP_ORIGIN;
  }

  function send(channel: string, id: string, value: unknown): void {
    if (open.has(id) && !contents.isDestroyed()) contents.send(channel, id, value);
  }

  /** Registers `id` as open until it is closed; `null` when the message is not one of ours. */
  function opening(frame: WebFrameMain | null, id: unknown): string | null {
    const parsed = idSchema.safeParse(id);
    return isOurs(frame) && parsed.success && !open.has(parsed.data) ? parsed.data : null;
  }

  contents.ipc.handle(
    IPC.call,
    async (event, name: unknown, input: unknown): Promise<BridgeResult<unknown>> => {
      try {
        if (!isOurs(event.senderFrame)) throw foreignFrame();
        return { ok: true, value: await checkedCall(api, name, input) };
      } catch (error) {
        return { ok: false, error: RoundhouseError.from(error).toJSON() };
      }
    },
  );

  contents.ipc.on(IPC.streamStart, async (event, rawId: unknown, name: unknown, input: unknown) => {
    const id = opening(event.senderFrame, rawId);
    if (id === null) return;
    const abort = new AbortController();
    open.set(id, () => abort.abort());
    let end: BridgeEnd = { ok: true };
    try {
      for await (const part of checkedStream(api, name, input, abort.signal)) send(IPC.streamPart, id, part);
    } catch (error) {
      end = { ok: false, error: RoundhouseError.from(error).toJSON() };
    }
    send(IPC.streamEnd, id, end);
    open.delete(id);
  });

  contents.ipc.on(IPC.subscribe, (event, rawId: unknown) => {
    const id = opening(event.senderFrame, rawId);
    if (id === null) return;
    // Open before subscribing: the snapshot comes within the call.
    let subscription: Disposable | null = null;
    open.set(id, () => {
      open.delete(id);
      subscription?.[Symbol.dispose]();
    });
    subscription = api.subscribe((appEvent) => send(IPC.event, id, appEvent));
  });

  contents.ipc.on(IPC.cancel, (event, id: unknown) => {
    if (isOurs(event.senderFrame) && typeof id === 'string') open.get(id)?.();
  });

  function closeAll(): void {
    for (const close of [...open.values()]) close();
    // A stream that is still unwinding must not write to the next page.
    open.clear();
  }
  contents.on('did-navigate', closeAll);
  contents.on('render-process-gone', closeAll);
  contents.once('destroyed', closeAll);
}

async function checkedCall(api: AppApi, name: unknown, input: unknown): Promise<unknown> {
  if (typeof name !== 'string' || !isCallName(name)) throw unknownName(name);
  const checked = checkInput(name, CALLS[name].input, input);
  // `checked` came out of the schema that the table has for this very name; the compiler cannot tie the two.
  return await api.call(name, checked as never);
}

async function* checkedStream(api: AppApi, name: unknown, input: unknown, signal: AbortSignal) {
  if (typeof name !== 'string' || !isStreamName(name)) throw unknownName(name);
  yield* api.stream(name, checkInput(name, STREAMS[name].input, input), signal);
}

function checkInput<Schema extends z.ZodType>(name: string, schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  throw new RoundhouseError(
    'invalid_request',
    `${name}: ${param === '' ? '' : `"${param}": `}${issue?.message ?? 'does not fit'}`,
    { ...(param === '' ? {} : { param }), cause: result.error },
  );
}

function unknownName(name: unknown): RoundhouseError {
  // Whatever is not a string may have a `toString` of its own.
  const shown = typeof name === 'string' ? `named "${name}"` : `whose name is a ${typeof name}`;
  return new RoundhouseError('not_found', `The app has no call ${shown}.`);
}

function foreignFrame(): RoundhouseError {
  return new RoundhouseError('origin_not_allowed', 'Only the app’s own window may call the app.');
}

/*
 * The channels between the preload and the main process. Everything but `call` is one-way and carries an id that the
 * preload draws at random, so that parts of an earlier page can never reach a later one. Both directions of a stream
 * use plain messages, never the answer of an `invoke`, because only messages are sure to keep their order.
 */
export const IPC = {
  /** `invoke(name, input)` → `CallReply`. */
  call: 'roundhouse:call',
  /** `send(id, name, input)`; answered by `streamPart`s and one `streamEnd`. */
  streamStart: 'roundhouse:stream-start',
  streamPart: 'roundhouse:stream-part',
  streamEnd: 'roundhouse:stream-end',
  /** `send(id)`; answered by `event`s until cancelled. */
  subscribe: 'roundhouse:subscribe',
  event: 'roundhouse:event',
  /** `send(id)`: ends a stream or a subscription. */
  cancel: 'roundhouse:cancel',
} as const;

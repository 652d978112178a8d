import { type Turn, tokensPerSecond } from './chat-store.ts';
import { formatCount, formatLatency, formatSpeed, plural } from './format.ts';

/** How an answer went, in short facts: its times, its speed, its tokens, and why it ended where that is not plain. */
export function describeTurn(turn: Turn): readonly string[] {
  const { state, usage, firstTokenMs } = turn;
  const facts: string[] = [];
  if (state.status === 'stopped') facts.push('stopped');
  if (state.status === 'done' && state.reason === 'length') facts.push('ended: the context is full');
  if (state.status === 'done' && state.reason === 'content-filter')
    facts.push('ended: the provider’s filter');
  if (firstTokenMs !== null) facts.push(`${formatLatency(firstTokenMs)} to first token`);
  if (usage === null) return facts;
  const speed = tokensPerSecond(usage);
  if (speed !== null) facts.push(formatSpeed(speed));
  const cached = usage.cachedTokens > 0 ? ` (${formatCount(usage.cachedTokens)} cached)` : '';
  facts.push(
    `${plural(usage.promptTokens, 'token')} in${cached}`,
    `${plural(usage.completionTokens, 'token')} out`,
  );
  return facts;
}

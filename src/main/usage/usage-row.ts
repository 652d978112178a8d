import type {
  UsageDetailView,
  UsageFigures,
  UsageRequestView,
  UsageText,
  UsageTry,
} from '../../shared/usage-contract.ts';

/** What is known of a request when it is over. */
export interface UsageRow
  extends Pick<
    UsageRequestView,
    | 'requestId'
    | 'atMs'
    | 'user'
    | 'keyName'
    | 'asked'
    | 'route'
    | 'contentType'
    | 'experiment'
    | 'arm'
    | 'streamed'
    | 'firstTokenMs'
    | 'totalMs'
    | 'status'
    | 'errorCode'
  > {
  /** In the order in which they were begun; their costs are added up. */
  readonly tries: readonly UsageTry[];
  /** Which of them the caller got; `null` when none. */
  readonly answeredBy: number | null;
  /** Goes into the database only while `logging.content` is on. */
  readonly text: UsageText | null;
}

const NAME_CHARS = 512;
const ROUTE_CHARS = 4096;

/** As it is kept: what a caller made up is cut to a sensible length, and a figure that cannot be is nobody's. */
export function detailOf(row: UsageRow, id: number): UsageDetailView {
  const tries = row.tries.map((one): UsageTry => ({ ...one, ...figuresOf(one) }));
  const said = tries[row.answeredBy ?? tries.length - 1];
  const { firstTokenMs, totalMs, status, errorCode } = row;
  return {
    id,
    requestId: cut(row.requestId, NAME_CHARS),
    atMs: whole(row.atMs) ?? 0,
    user: cutOrNull(row.user),
    keyName: cutOrNull(row.keyName),
    asked: cut(row.asked, NAME_CHARS),
    route: cut(row.route, ROUTE_CHARS),
    contentType: cutOrNull(row.contentType),
    experiment: cutOrNull(row.experiment),
    arm: cutOrNull(row.arm),
    provider: said?.provider ?? null,
    model: said?.model ?? null,
    streamed: row.streamed,
    tryCount: tries.length,
    ...(said ? figuresOf(said) : NO_FIGURES),
    firstTokenMs: measured(firstTokenMs),
    totalMs: measured(totalMs) ?? 0,
    costNanoDollars: costOf(tries),
    status,
    errorCode,
    tries,
    text: row.text,
  };
}

export function viewOf({ tries: _tries, text: _text, ...view }: UsageDetailView): UsageRequestView {
  return view;
}

/** Whether this began to answer, and so has a cost, though nobody knows it. */
export function isUnpriced({ costNanoDollars, firstTokenMs }: UsageFigures): boolean {
  return costNanoDollars === null && firstTokenMs !== null;
}

/** Of all tries together; `null` as soon as one of them may have cost something that nobody knows. */
function costOf(tries: readonly UsageTry[]): number | null {
  if (tries.length === 0 || tries.some(isUnpriced)) return null;
  const known = tries.flatMap(({ costNanoDollars }) => costNanoDollars ?? []);
  return known.length === 0 ? null : known.reduce((sum, cost) => sum + cost, 0);
}

function figuresOf(figures: UsageFigures): UsageFigures {
  return {
    queueMs: measured(figures.queueMs),
    loadMs: measured(figures.loadMs),
    prefillMs: measured(figures.prefillMs),
    promptTokens: whole(figures.promptTokens),
    cachedTokens: whole(figures.cachedTokens),
    cacheWriteTokens: whole(figures.cacheWriteTokens),
    completionTokens: whole(figures.completionTokens),
    reasoningTokens: whole(figures.reasoningTokens),
    firstTokenMs: measured(figures.firstTokenMs),
    totalMs: measured(figures.totalMs) ?? 0,
    costNanoDollars: whole(figures.costNanoDollars),
    priceVersion: cutOrNull(figures.priceVersion),
    status: figures.status,
    errorCode: figures.errorCode,
  };
}

const NO_FIGURES: Omit<
  UsageFigures,
  'firstTokenMs' | 'totalMs' | 'costNanoDollars' | 'status' | 'errorCode'
> = {
  queueMs: null,
  loadMs: null,
  prefillMs: null,
  promptTokens: null,
  cachedTokens: null,
  cacheWriteTokens: null,
  completionTokens: null,
  reasoningTokens: null,
  priceVersion: null,
};

function whole(value: number | null): number | null {
  if (value === null) return null;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) && rounded >= 0 ? rounded : null;
}

/** To the microsecond. */
function measured(ms: number | null): number | null {
  return ms === null || !Number.isFinite(ms) || ms < 0 ? null : Math.round(ms * 1000) / 1000;
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : text.slice(0, chars);
}

function cutOrNull(text: string | null): string | null {
  return text === null ? null : cut(text, NAME_CHARS);
}

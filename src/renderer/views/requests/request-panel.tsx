import type { UsageRequestView } from '../../../shared/usage-contract.ts';
import { Ago } from '../../components/ago.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Fact, Facts } from '../../components/facts.tsx';
import { Failure } from '../../components/failure.tsx';
import { SidePanel } from '../../components/side-panel.tsx';
import { describeStatus, formatAnswerSpeed, formatCost, formatMaybe } from '../../state/describe-request.ts';
import { formatCount, formatExactTime } from '../../state/format.ts';
import { useRequests } from '../../state/services.tsx';
import { TONES } from '../models/state-cell.tsx';
import { RequestText } from './request-text.tsx';
import { Tries } from './tries.tsx';
import { Waterfall } from './waterfall.tsx';

/** One request: where its time went, why it went where it did, its tokens, its cost, each try. */
export function RequestPanel() {
  const selected = useRequests((state) => state.selected);
  const select = useRequests((state) => state.select);
  if (selected === null) return null;
  const { row, detail, error } = selected;
  return (
    <SidePanel
      label="Request"
      title={row.asked}
      onClose={() => {
        select(null);
        document.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true });
      }}
      className="overflow-y-auto @max-[820px]:absolute @max-[820px]:inset-y-0 @max-[820px]:right-5 @max-[820px]:z-2 @max-[820px]:mb-4 @max-[820px]:w-[min(340px,calc(100%-40px))] @max-[820px]:shadow-(--shade-high)"
    >
      <Outcome row={row} />
      <p className="mt-2 wrap-anywhere">{row.route}</p>
      <Heading>Time</Heading>
      <Waterfall figures={row} />
      {detail !== null && detail.tries.length > 1 ? <Tries tries={detail.tries} /> : null}
      <Heading>Tokens</Heading>
      <Tokens row={row} />
      <Heading>Cost</Heading>
      <Cost row={row} />
      <Heading>Asked by</Heading>
      <Who row={row} />
      {error === null ? null : (
        <Failure error={error} action={{ label: 'Try again', onClick: () => select(row) }} className="mt-3" />
      )}
      {detail === null ? null : <RequestText text={detail.text} status={detail.status} />}
    </SidePanel>
  );
}

function Heading({ children }: { readonly children: string }) {
  return <h3 className="mt-4 mb-1.5 border-line border-t pt-3 font-semibold">{children}</h3>;
}

function Outcome({ row }: { readonly row: UsageRequestView }) {
  const { text, tone } = describeStatus(row.status);
  return (
    <p className="text-mute">
      <span className={`font-medium ${TONES[tone]}`}>{text}</span>
      {row.errorCode === null ? null : (
        <>
          {' '}
          <code className="rounded-sm bg-ink/6 px-1 font-mono text-sm">{row.errorCode}</code>
        </>
      )}{' '}
      · <Ago atMs={row.atMs} spelled /> · {row.streamed ? 'streamed' : 'in one piece'}
    </p>
  );
}

function Tokens({ row }: { readonly row: UsageRequestView }) {
  const { cachedTokens, cacheWriteTokens, reasoningTokens } = row;
  return (
    <Facts>
      <Fact label="in">{formatMaybe(row.promptTokens)}</Fact>
      {cachedTokens ? <Fact label="of them cached">{formatCount(cachedTokens)}</Fact> : null}
      {cacheWriteTokens ? (
        <Fact label="of them put into the cache">{formatCount(cacheWriteTokens)}</Fact>
      ) : null}
      <Fact label="out">{formatMaybe(row.completionTokens)}</Fact>
      {reasoningTokens ? <Fact label="of them thought">{formatCount(reasoningTokens)}</Fact> : null}
      <Fact label="speed">{formatAnswerSpeed(row)}</Fact>
    </Facts>
  );
}

function Cost({ row }: { readonly row: UsageRequestView }) {
  return (
    <Facts>
      <Fact label={row.tryCount > 1 ? 'all tries' : 'this request'}>
        <b>{formatCost(row)}</b>
      </Fact>
      <Fact label="price">
        {row.priceVersion ?? (row.provider === 'local' ? 'runs here, costs nothing' : 'none in the catalog')}
      </Fact>
    </Facts>
  );
}

function Who({ row }: { readonly row: UsageRequestView }) {
  return (
    <Facts>
      <Fact label="user">{row.user ?? 'nobody named'}</Fact>
      {row.keyName === null ? null : <Fact label="key">{row.keyName}</Fact>}
      <Fact label="content type">{row.contentType ?? 'none'}</Fact>
      {row.experiment === null ? null : (
        <Fact label="experiment">{row.arm === null ? row.experiment : `${row.experiment}, ${row.arm}`}</Fact>
      )}
      <Fact label="came">{formatExactTime(row.atMs)}</Fact>
      <div className="-my-1 flex items-center justify-between gap-2">
        <dt className="text-mute">request id</dt>
        <dd className="flex min-w-0 items-center">
          <code className="truncate font-mono text-sm">{row.requestId}</code>
          <CopyButton text={row.requestId} name="Copy request id" className="-mr-1.5" />
        </dd>
      </div>
    </Facts>
  );
}

import type { ModelView } from '../../../../shared/contract.ts';
import { Fact, Facts } from '../../../components/facts.tsx';
import { isLocal } from '../../../state/describe-model.ts';
import { formatRate } from '../../../state/describe-price.ts';
import { PRICE_UNKNOWN } from '../../../state/describe-request.ts';

/** What a million tokens cost, since when, and who says so. */
export function Price({ model }: { readonly model: ModelView }) {
  const { price } = model;
  if (isLocal(model)) return <p className="text-mute">It runs here and costs nothing.</p>;
  if (price === null) {
    return (
      <p>
        <b>{PRICE_UNKNOWN}</b>{' '}
        <span className="text-mute">Its requests are counted, and add nothing to what was spent.</span>
      </p>
    );
  }
  return (
    <>
      <Facts>
        <Fact label="in">
          <Rate nanoDollars={price.inputNanoDollars} />
        </Fact>
        {price.cachedInputNanoDollars === null ? null : (
          <Fact label="in, cached">
            <Rate nanoDollars={price.cachedInputNanoDollars} />
          </Fact>
        )}
        {price.cacheWriteNanoDollars === null ? null : (
          <Fact label="put into the cache">
            <Rate nanoDollars={price.cacheWriteNanoDollars} />
          </Fact>
        )}
        <Fact label="out">
          <Rate nanoDollars={price.outputNanoDollars} />
        </Fact>
      </Facts>
      <p className="mt-1 text-mute text-sm wrap-anywhere">
        For a million tokens, since {price.effectiveDate}; from {price.source}.
      </p>
    </>
  );
}

function Rate({ nanoDollars }: { readonly nanoDollars: number | null }) {
  return nanoDollars === null ? <span className="text-mute">{PRICE_UNKNOWN}</span> : formatRate(nanoDollars);
}

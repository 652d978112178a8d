import { Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ProviderView } from '../../../shared/provider-contract.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { Chip } from '../../components/chip.tsx';
import { Failure } from '../../components/failure.tsx';
import { Words } from '../../components/words.tsx';
import { describeKey, KIND_NAMES } from '../../state/describe-provider.ts';
import { formatCount, formatLatency } from '../../state/format.ts';
import { useProviders } from '../../state/services.tsx';
import { HealthBadge } from './health-badge.tsx';
import { KeyForm } from './key-form.tsx';
import { RateBar } from './rate-bar.tsx';
import { RemoveForm } from './remove-form.tsx';

/** One provider: whether it would answer, with which key, how much of it is used, what it runs. */
export function ProviderCard({ provider }: { readonly provider: ProviderView }) {
  const { name, limits } = provider;
  const step = useProviders((state) => (state.step?.name === name ? state.step.for : null));
  const failure = useProviders((state) => state.failures[name]);
  return (
    <article
      aria-label={name}
      className="flex min-w-0 flex-col rounded-[10px] border border-line bg-card px-3.5 pt-3 pb-2.5 shadow-(--shade)"
    >
      <div className="flex items-start gap-3">
        <div className="mr-auto flex min-w-0 flex-wrap items-baseline gap-x-1.5">
          <h2 className="truncate font-semibold" title={name}>
            {name}
          </h2>
          {provider.aliases.map((alias) => (
            <Chip key={alias} title="Another name for it">
              {alias}
            </Chip>
          ))}
        </div>
        <HealthBadge provider={provider} />
      </div>
      <Checked provider={provider} />
      {provider.health.message === null ? null : (
        <p className="mt-1 wrap-anywhere">
          <Words text={provider.health.message} />
        </p>
      )}

      <dl className="mt-2.5 flex flex-col border-line border-t pt-2">
        {provider.baseUrl === null ? null : (
          <Line label="address">
            <span className="truncate pt-1" title={provider.baseUrl}>
              {provider.baseUrl}
            </span>
          </Line>
        )}
        <Key provider={provider} />
        <Models provider={provider} />
      </dl>
      {limits.requestsPerMinute === null && limits.tokensPerMinute === null ? null : (
        <div className="mt-1 flex flex-col gap-2">
          {limits.requestsPerMinute === null ? null : (
            <RateBar what="requests" rate={limits.requestsPerMinute} />
          )}
          {limits.tokensPerMinute === null ? null : <RateBar what="tokens" rate={limits.tokensPerMinute} />}
        </div>
      )}
      {failure === undefined ? null : <Failure error={failure} className="mt-3" />}
      <div className="mt-auto pt-3">
        {step === 'key' ? <KeyForm provider={provider} /> : null}
        {step === 'remove' ? <RemoveForm provider={provider} /> : null}
        <Actions name={name} />
      </div>
    </article>
  );
}

/** Which service it is, where its name does not say it, and how it was when it was last asked. */
function Checked({ provider }: { readonly provider: ProviderView }) {
  const { kind, name, health } = provider;
  const testing = useProviders((state) => state.busy[name] === 'test');
  const service = KIND_NAMES[kind];
  return (
    <p className="text-mute">
      {service.toLowerCase() === name.toLowerCase() ? '' : `${service} · `}
      {testing ? 'asking it…' : <Answered health={health} />}
    </p>
  );
}

function Answered({ health }: Pick<ProviderView, 'health'>) {
  const { checkedAtMs, latencyMs } = health;
  if (checkedAtMs === null) return 'a test says whether it answers';
  return (
    <>
      {latencyMs === null ? 'asked' : `answered in ${formatLatency(latencyMs)},`}{' '}
      <Ago atMs={checkedAtMs} spelled />
    </>
  );
}

interface LineProps {
  readonly label: string;
  readonly children: ReactNode;
}

function Line({ label, children }: LineProps) {
  return (
    <div className="flex min-h-7 gap-2">
      <dt className="w-14 shrink-0 pt-1 text-mute">{label}</dt>
      <dd className="flex min-w-0 flex-1 gap-2">{children}</dd>
    </div>
  );
}

function Key({ provider }: { readonly provider: ProviderView }) {
  const open = useProviders((state) => state.open);
  const { key, name } = provider;
  const label = key.state === 'set' ? 'Replace' : 'Set key';
  return (
    <>
      <Line label="key">
        <span className={`mr-auto min-w-0 pt-1 ${key.state === 'missing' ? 'font-medium text-busy' : ''}`}>
          <Words text={describeKey(key)} />
        </span>
        <Button
          look="link"
          name={`${label === 'Replace' ? 'Replace the key' : label} of ${name}`}
          onClick={() => open(name, 'key')}
          className="-mr-2.5"
        >
          {label}
        </Button>
      </Line>
      {key.state === 'missing' ? (
        <div className="mb-1">
          <dt className="sr-only">what is missing</dt>
          <dd>
            <Words text={key.wanted} />
          </dd>
        </div>
      ) : null}
    </>
  );
}

function Models({ provider }: { readonly provider: ProviderView }) {
  const openModels = useProviders((state) => state.openModels);
  const shown = useProviders((state) => state.panel.kind === 'models' && state.panel.name === provider.name);
  const { foundModels, foundAtMs, models, name } = provider;
  return (
    <Line label="models">
      <div className="mr-auto min-w-0 py-1">
        {foundModels === null ? 'never asked for them' : `${formatCount(foundModels)} found`}{' '}
        {foundAtMs === null ? null : <Ago atMs={foundAtMs} spelled />}
        <div className="text-mute text-sm" title={models.join(', ')}>
          {models.length === 0 ? 'none registered' : `${models.length} registered`}
        </div>
      </div>
      <Button
        look="link"
        name={`Browse models of ${name}`}
        pressed={shown}
        onClick={() => void openModels(name)}
        className="-mr-2.5"
      >
        Browse
      </Button>
    </Line>
  );
}

function Actions({ name }: { readonly name: string }) {
  const test = useProviders((state) => state.test);
  const open = useProviders((state) => state.open);
  const busy = useProviders((state) => state.busy[name]);
  return (
    <div className="flex items-center justify-between gap-1">
      <Button
        name={busy === 'test' ? `Testing ${name}` : `Test ${name}`}
        disabled={busy !== undefined}
        onClick={() => void test(name)}
        className="min-w-19"
      >
        {busy === 'test' ? 'Testing' : 'Test'}
      </Button>
      <Button
        look="bare"
        shape="square"
        name={`Remove ${name}`}
        title={`Remove ${name}`}
        disabled={busy !== undefined}
        onClick={() => open(name, 'remove')}
        className="-mr-1.5"
      >
        <Trash2 aria-hidden className="size-3.5" />
      </Button>
    </div>
  );
}

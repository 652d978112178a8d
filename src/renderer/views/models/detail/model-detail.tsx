import { ExternalLink } from 'lucide-react';
import { useEffect, useRef } from 'react';
import type { ModelView } from '../../../../shared/contract.ts';
import { Chip } from '../../../components/chip.tsx';
import { Fact, Facts } from '../../../components/facts.tsx';
import { Notice } from '../../../components/notice.tsx';
import { SidePanel } from '../../../components/side-panel.tsx';
import { useReturnFocus } from '../../../components/use-return-focus.ts';
import { isLocal } from '../../../state/describe-model.ts';
import { formatCount, formatMemory, UNKNOWN } from '../../../state/format.ts';
import { useModels } from '../../../state/services.tsx';
import { CapabilityList } from './capability-list.tsx';
import { MeasuredMemory } from './measured-memory.tsx';
import { MeasuredSpeed } from './measured-speed.tsx';
import { Notes } from './notes.tsx';
import { Price } from './price.tsx';
import { Section } from './section.tsx';

/** One model: how it is set, what it takes and how fast it is against what was expected, what it can, costs and is good for. */
export function ModelDetail({ model }: { readonly model: ModelView }) {
  const select = useModels((state) => state.select);
  const top = useRef<HTMLParagraphElement>(null);
  useReturnFocus();
  // In a narrow window it stands above the list, and may be out of sight.
  useEffect(() => {
    top.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <SidePanel label={`Model ${model.id}`} title={model.id} onClose={() => select(null)} takesFocus>
      <p ref={top} className="scroll-mt-14 text-mute">
        {model.name === model.id ? '' : `${model.name} · `}
        {isLocal(model) ? (
          'runs here'
        ) : (
          <>
            runs at{' '}
            <a href="#/providers" className="font-medium text-accent underline underline-offset-2">
              {model.provider}
            </a>
          </>
        )}
      </p>
      <StageNotice model={model} />
      <Section title="Settings">
        <Settings model={model} />
      </Section>
      {isLocal(model) ? (
        <Section title="Memory">
          <MeasuredMemory memory={model.memory} />
        </Section>
      ) : null}
      <Section title="Speed, last 24 hours">
        <MeasuredSpeed model={model} />
      </Section>
      <Section title="Can">
        <CapabilityList capabilities={model.capabilities} />
      </Section>
      <Section title="Price">
        <Price model={model} />
      </Section>
      <Notes notes={model.notes} />
      {model.documentation === null ? null : (
        <p className="mt-4 border-line border-t pt-3">
          <a
            href={model.documentation}
            target="_blank"
            rel="noreferrer"
            className="inline-flex items-center gap-1.5 font-medium text-accent underline underline-offset-2"
          >
            Documentation
            <ExternalLink aria-hidden className="size-3.5" />
          </a>
        </p>
      )}
    </SidePanel>
  );
}

function StageNotice({ model }: { readonly model: ModelView }) {
  const { stage, replacement } = model;
  if (stage === 'production') return null;
  if (stage === 'experimental' || stage === 'staging') {
    return <p className="mt-2 text-mute">In stage {stage}: not meant for everybody yet.</p>;
  }
  return (
    <Notice tone={stage === 'retired' ? 'bad' : 'busy'} className="mt-2.5">
      <p>
        <b>{stage === 'retired' ? 'Retired' : 'Deprecated'}.</b>{' '}
        {stage === 'retired' ? 'Requests for it are refused.' : 'It still answers.'}{' '}
        {replacement === null ? (
          'Nothing is named to use instead.'
        ) : (
          <>
            Use <b>{replacement}</b> instead.
          </>
        )}
      </p>
    </Notice>
  );
}

function Settings({ model }: { readonly model: ModelView }) {
  const { source, contextSize, remoteId, aliases, tiers } = model;
  return (
    <Facts>
      {source === null ? null : (
        <Fact label="file" title={source.path}>
          {source.kind === 'builtin' ? 'comes with Roundhouse' : source.path}
        </Fact>
      )}
      {isLocal(model) ? <Fact label="file size">{formatMemory(model.fileBytes)}</Fact> : null}
      {remoteId === null ? null : (
        <Fact label="asked for as">
          <code className="font-mono text-sm">{remoteId}</code>
        </Fact>
      )}
      <Fact label="context">
        {contextSize === null
          ? UNKNOWN
          : `${formatCount(contextSize)} tokens${isLocal(model) ? ' a slot' : ''}`}
      </Fact>
      {isLocal(model) ? (
        <>
          <Fact label="slots">{formatCount(model.slots)}</Fact>
          <Fact label="pinned">{model.pinned ? 'yes, stays loaded' : 'no'}</Fact>
        </>
      ) : null}
      <Fact label="aliases">{aliases.length === 0 ? 'none' : <Chips words={aliases} />}</Fact>
      <Fact label="tiers">{tiers.length === 0 ? 'none' : <Chips words={tiers} />}</Fact>
    </Facts>
  );
}

function Chips({ words }: { readonly words: readonly string[] }) {
  return (
    <span className="flex flex-wrap justify-end gap-1">
      {words.map((word) => (
        <Chip key={word}>{word}</Chip>
      ))}
    </span>
  );
}

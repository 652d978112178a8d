import { useState } from 'react';
import { PROVIDER_KINDS } from '../../../shared/provider-kinds.ts';
import { Button } from '../../components/button.tsx';
import { Choice } from '../../components/choice.tsx';
import { Failure } from '../../components/failure.tsx';
import { SidePanel } from '../../components/side-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { useReturnFocus } from '../../components/use-return-focus.ts';
import {
  asksForUrl,
  checkDraft,
  describeNoKey,
  KIND_NAMES,
  type ProviderDraft,
  suggestName,
} from '../../state/describe-provider.ts';
import type { ProvidersPanel } from '../../state/providers-store.ts';
import { useProviders } from '../../state/services.tsx';

const KINDS = PROVIDER_KINDS.map((value) => ({ value, label: KIND_NAMES[value] }));

export interface AddProviderProps {
  readonly panel: Extract<ProvidersPanel, { kind: 'add' }>;
  readonly taken: readonly string[];
}

/** A service to be asked from now on: which kind, under which name, where, with which key. */
export function AddProvider({ panel, taken }: AddProviderProps) {
  const close = useProviders((state) => state.closePanel);
  const add = useProviders((state) => state.add);
  // A key is typed here and kept nowhere else.
  const [typed, setTyped] = useState<Partial<ProviderDraft>>({});
  const [tried, setTried] = useState(false);
  useReturnFocus();

  const wanted = KINDS.find(({ value }) => value === panel.wanted);
  const kind = typed.kind ?? (wanted ?? KINDS.find(({ value }) => !taken.includes(value)))?.value ?? 'openai';
  const draft: ProviderDraft = {
    kind,
    name: typed.name ?? suggestName(kind, taken),
    baseUrl: typed.baseUrl ?? '',
    apiKey: typed.apiKey ?? '',
  };
  const problems = checkDraft(draft, taken);
  const change = (changes: Partial<ProviderDraft>) => setTyped((before) => ({ ...before, ...changes }));
  const submit = () => {
    setTried(true);
    if (Object.keys(problems).length === 0 && !panel.busy) void add(draft);
  };

  return (
    <SidePanel label="Add provider" title="Add a provider" onClose={close} takesFocus>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
        className="mt-2 flex flex-col gap-3"
      >
        <Choice
          label="Kind"
          value={kind}
          options={KINDS}
          onChange={(chosen) => {
            if (chosen !== null) change({ kind: chosen });
          }}
        />
        <TextField
          label="Name"
          value={draft.name}
          onChange={(name) => change({ name })}
          hint={`Its models are asked for as \`${draft.name.trim() || 'name'}/model\`.`}
          problem={tried || typed.name !== undefined ? problems.name : undefined}
        />
        {asksForUrl(kind) ? (
          <TextField
            type="url"
            label="Base URL"
            value={draft.baseUrl}
            onChange={(baseUrl) => change({ baseUrl })}
            placeholder="http://mac-studio.local:8000/v1"
            hint="As far as /v1. vLLM, LM Studio, Ollama and llama.cpp servers all have one."
            problem={tried ? problems.baseUrl : undefined}
          />
        ) : null}
        {kind === 'mock' ? null : (
          <TextField
            type="password"
            label="Key"
            value={draft.apiKey}
            onChange={(apiKey) => change({ apiKey })}
            hint={`${describeNoKey(kind)} Kept apart from models.yaml, and never shown again.`}
          />
        )}
        {panel.refusal === null ? null : <Failure error={panel.refusal} />}
        <div className="mt-1 flex justify-between gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" submits disabled={panel.busy} className="min-w-0 shrink!">
            <span className="truncate">
              {panel.busy ? 'Adding' : 'Add'} {draft.name.trim()}
            </span>
          </Button>
        </div>
      </form>
    </SidePanel>
  );
}

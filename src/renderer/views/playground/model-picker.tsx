import { Select } from '@base-ui/react/select';
import { Check, ChevronsUpDown } from 'lucide-react';
import type { Snapshot } from '../../../shared/contract.ts';
import { SelectList } from '../../components/select-list.tsx';
import { type AskName, askNames } from '../../state/ask-names.ts';
import { describeState } from '../../state/describe-model.ts';
import { useChat } from '../../state/services.tsx';

/** Which name to ask: `auto`, a tier or a model. */
export function ModelPicker({ snapshot }: { readonly snapshot: Snapshot }) {
  const model = useChat((state) => state.model);
  const setModel = useChat((state) => state.setModel);
  const names = askNames(snapshot);
  return (
    <Select.Root value={model} onValueChange={(value) => value !== null && setModel(value)}>
      <Select.Trigger
        aria-label="Model"
        className="flex h-7 min-w-44 items-center gap-2 truncate rounded-md border border-edge bg-card px-2.5 shadow-(--shade) hover:bg-ink/5"
      >
        <Select.Value className="truncate font-medium" />
        <span className="truncate text-mute">{hintOf(names, model)}</span>
        <Select.Icon className="ml-auto">
          <ChevronsUpDown aria-hidden className="size-3.5 text-mute" />
        </Select.Icon>
      </Select.Trigger>
      <SelectList align="end" width="min-w-72">
        <Group label="Routed" names={names.routed} />
        <Group label="Models" names={names.models} />
      </SelectList>
    </Select.Root>
  );
}

function Group(props: { readonly label: string; readonly names: readonly AskName[] }) {
  if (props.names.length === 0) return null;
  return (
    <Select.Group className="pb-1 last:pb-0">
      <Select.GroupLabel className="px-2 pt-1.5 pb-1 text-mute text-xs">{props.label}</Select.GroupLabel>
      {props.names.map((name) => (
        <Select.Item
          key={name.value}
          value={name.value}
          className="grid cursor-default grid-cols-[16px_auto_1fr] items-center gap-2 rounded-[5px] px-2 py-1 outline-none data-highlighted:bg-fill data-highlighted:text-white"
        >
          <Select.ItemIndicator className="col-start-1">
            <Check aria-hidden className="size-3.5" />
          </Select.ItemIndicator>
          <Select.ItemText className="col-start-2">{name.value}</Select.ItemText>
          <span className="col-start-3 truncate text-right text-mute in-data-highlighted:text-white">
            {name.model === null ? name.hint : describeState(name.model).text}
          </span>
        </Select.Item>
      ))}
    </Select.Group>
  );
}

function hintOf(
  names: { readonly routed: readonly AskName[]; readonly models: readonly AskName[] },
  value: string,
) {
  const name = [...names.routed, ...names.models].find((other) => other.value === value);
  if (name === undefined) return 'not there any more';
  return name.model === null ? name.hint : describeState(name.model).text;
}

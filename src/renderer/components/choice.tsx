import { Select } from '@base-ui/react/select';
import { Check, ChevronDown } from 'lucide-react';
import { SelectList } from './select-list.tsx';

export interface ChoiceProps<Value extends string> {
  /** What is chosen, shown before the value. */
  readonly label: string;
  /** `null` = none of them, which `any` says. */
  readonly value: Value | null;
  readonly options: readonly ChoiceOption<Value>[];
  readonly onChange: (value: Value | null) => void;
  /** What stands for no choice; leave out where one has to be chosen. */
  readonly any?: string;
  readonly onOpen?: () => void;
}

export interface ChoiceOption<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

const ANY = '';

/** A menu to choose one of a few from. Stands out while it narrows something. */
export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { label, value, any, options } = props;
  const narrows = any !== undefined && value !== null;
  const items = [...(any === undefined ? [] : [{ value: ANY, label: any }]), ...options];
  // What is chosen stays there, also while nobody knows whether it still exists.
  const missing = value !== null && !options.some((option) => option.value === value);
  const shown = missing ? [...items, { value, label: value }] : items;
  return (
    <Select.Root
      items={shown}
      value={value ?? ANY}
      onValueChange={(chosen) => {
        // One of the options' own values, or the one that stands for none.
        if (chosen !== null) props.onChange(chosen === ANY ? null : (chosen as Value));
      }}
      onOpenChange={(open) => {
        if (open) props.onOpen?.();
      }}
    >
      <Select.Trigger
        aria-label={label}
        className={`flex h-7 max-w-52 items-center gap-1.5 rounded-md border px-2.5 hover:bg-ink/5 ${narrows ? 'border-accent bg-accent/8' : 'border-edge bg-card shadow-(--shade)'}`}
      >
        <span className="text-mute">{label}</span>
        <Select.Value className={`truncate ${narrows ? 'font-medium' : ''}`} />
        <Select.Icon>
          <ChevronDown aria-hidden className="size-3.5 text-mute" />
        </Select.Icon>
      </Select.Trigger>
      <SelectList align="start" width="min-w-(--anchor-width)">
        {shown.map((option) => (
          <Select.Item
            key={option.value}
            value={option.value}
            className="grid cursor-default grid-cols-[16px_1fr] items-center gap-2 rounded-[5px] py-1 pr-3 pl-2 outline-none data-highlighted:bg-fill data-highlighted:text-white"
          >
            <Select.ItemIndicator className="col-start-1">
              <Check aria-hidden className="size-3.5" />
            </Select.ItemIndicator>
            <Select.ItemText className="col-start-2 max-w-72 truncate">{option.label}</Select.ItemText>
          </Select.Item>
        ))}
      </SelectList>
    </Select.Root>
  );
}

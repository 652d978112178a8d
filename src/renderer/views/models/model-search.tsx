import { SlidersHorizontal, X } from 'lucide-react';
import { useState } from 'react';
import { CAPABILITIES, type Capability } from '../../../shared/capabilities.ts';
import { Button } from '../../components/button.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { describeCapability } from '../../state/describe-capability.ts';
import { isSearching, type Need } from '../../state/filter-models.ts';
import { useModels } from '../../state/services.tsx';
import { CapabilityIcon } from './capability-icon.tsx';

/** Narrows the models by their names and by what they can, and finds others that are not registered yet. */
export function ModelSearch() {
  const search = useModels((state) => state.search);
  const setText = useModels((state) => state.setText);
  const setNeed = useModels((state) => state.setNeed);
  const clear = useModels((state) => state.clear);
  const [open, setOpen] = useState(false);
  const chosen = CAPABILITIES.filter((name) => search.needs[name] !== undefined);
  return (
    <search className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField
          label="Find models"
          placeholder="Find among these and the catalog"
          value={search.text}
          onChange={setText}
          className="w-72 max-w-full"
        />
        <Button pressed={open} onClick={() => setOpen(!open)}>
          <SlidersHorizontal aria-hidden className="size-3.5" />
          Capabilities
        </Button>
        {chosen.map((name) => (
          <Button
            key={name}
            shape="pill"
            title="Take away"
            onClick={() => setNeed(name, null)}
            className="border-accent! bg-accent/8!"
          >
            <CapabilityIcon of={name} />
            <span>
              {describeCapability(name)} <span className="text-mute">{search.needs[name]}</span>
              <span className="sr-only">: take away</span>
            </span>
            <X aria-hidden className="size-3" />
          </Button>
        ))}
        {isSearching(search) ? (
          <Button look="link" onClick={clear}>
            Clear
          </Button>
        ) : null}
      </div>
      {open ? <NeedChoices /> : null}
    </search>
  );
}

function NeedChoices() {
  return (
    <fieldset className="animate-appear rounded-[10px] border border-line bg-card px-4 pt-2.5 pb-3 shadow-(--shade)">
      <legend className="sr-only">Capabilities</legend>
      <p className="mb-2 text-mute">
        Only models that surely have all that is required are shown, and first those with most of what is
        preferred.
      </p>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(250px,100%),1fr))] gap-x-8">
        {CAPABILITIES.map((name) => (
          <li key={name} className="flex items-center gap-2 py-0.5">
            <CapabilityIcon of={name} className="text-mute" />
            <span className="mr-auto truncate">{describeCapability(name)}</span>
            <span className="flex gap-0.5">
              <NeedToggle name={name} need="required" label="require" />
              <NeedToggle name={name} need="preferred" label="prefer" />
            </span>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

interface NeedToggleProps {
  readonly name: Capability;
  readonly need: Need;
  readonly label: string;
}

function NeedToggle({ name, need, label }: NeedToggleProps) {
  const pressed = useModels((state) => state.search.needs[name] === need);
  const setNeed = useModels((state) => state.setNeed);
  return (
    <Button
      look={pressed ? 'primary' : 'bare'}
      name={`${label} ${describeCapability(name)}`}
      pressed={pressed}
      onClick={() => setNeed(name, pressed ? null : need)}
      className="h-6! px-2! text-sm"
    >
      {label}
    </Button>
  );
}

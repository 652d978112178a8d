import { Search } from 'lucide-react';

export interface SearchFieldProps {
  /** Its accessible name. */
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly className?: string;
}

/** A line of text that narrows a list as it is typed; Escape empties it. */
export function SearchField({ label, placeholder, value, onChange, className = '' }: SearchFieldProps) {
  return (
    <div className={`relative ${className}`}>
      <Search
        aria-hidden
        className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-2 size-3.5 text-mute"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || value === '') return;
          // Once to empty it; what it stands in is closed by the next.
          event.preventDefault();
          onChange('');
        }}
        className="block h-7 w-full min-w-0 rounded-md border border-edge bg-field pr-2 pl-7 [&::-webkit-search-cancel-button]:hidden"
      />
    </div>
  );
}

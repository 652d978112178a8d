import { Button } from '../../components/button.tsx';
import { Choice, type ChoiceOption } from '../../components/choice.tsx';
import { describeStatus } from '../../state/describe-request.ts';
import { isFiltered, NO_FILTERS, type Period, type ValueFilter } from '../../state/request-filters.ts';
import { useRequests } from '../../state/services.tsx';

const VALUES: readonly (readonly [filter: ValueFilter, label: string])[] = [
  ['model', 'Model'],
  ['provider', 'Provider'],
  ['user', 'User'],
  ['contentType', 'Type'],
];
const STATUSES = (['ok', 'error', 'cancelled'] as const).map((value) => ({
  value,
  label: describeStatus(value).text,
}));
const PERIOD_OPTIONS: readonly ChoiceOption<Period>[] = [
  { value: '1h', label: 'last hour' },
  { value: '24h', label: 'last 24 hours' },
  { value: '7d', label: 'last 7 days' },
  { value: '30d', label: 'last 30 days' },
];
const NONE: readonly string[] = [];

/** What the list is narrowed to; all must hold. */
export function FilterBar() {
  const filters = useRequests((state) => state.filters);
  const filter = useRequests((state) => state.filter);
  return (
    <fieldset className="flex flex-wrap items-center gap-2">
      <legend className="sr-only">Filters</legend>
      {VALUES.map(([name, label]) => (
        <ValueChoice key={name} name={name} label={label} />
      ))}
      <Choice
        label="Status"
        any="any"
        value={filters.status}
        options={STATUSES}
        onChange={(status) => filter({ status })}
      />
      <Choice
        label="Time"
        any="any"
        value={filters.period}
        options={PERIOD_OPTIONS}
        onChange={(period) => filter({ period })}
      />
      {isFiltered(filters) ? (
        <Button look="link" onClick={() => filter(NO_FILTERS)}>
          Clear filters
        </Button>
      ) : null}
    </fieldset>
  );
}

function ValueChoice({ name, label }: { readonly name: ValueFilter; readonly label: string }) {
  const value = useRequests((state) => state.filters[name]);
  const values = useRequests((state) => state.choices[name] ?? NONE);
  const filter = useRequests((state) => state.filter);
  const loadChoices = useRequests((state) => state.loadChoices);
  return (
    <Choice
      label={label}
      any="any"
      value={value}
      options={values.map((choice) => ({ value: choice, label: choice }))}
      onChange={(chosen) => filter({ [name]: chosen })}
      onOpen={() => void loadChoices(name)}
    />
  );
}

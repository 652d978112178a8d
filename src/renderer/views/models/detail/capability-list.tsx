import { CAPABILITIES, type CapabilityMatrix, type Support } from '../../../../shared/capabilities.ts';
import { describeCapability } from '../../../state/describe-capability.ts';
import { CapabilityIcon } from '../capability-icon.tsx';

/** What it can, what it cannot, and of what nobody says either. */
export function CapabilityList({ capabilities }: { readonly capabilities: CapabilityMatrix }) {
  const of = (support: Support) => CAPABILITIES.filter((name) => capabilities[name] === support);
  const words = (support: Support) => of(support).map(describeCapability).join(', ');
  const can = of('yes');
  return (
    <>
      {can.length === 0 ? <p className="text-mute">Nobody says what it can.</p> : null}
      <ul className="grid grid-cols-2 gap-x-3 gap-y-1">
        {can.map((name) => (
          <li key={name} className="flex items-center gap-2">
            <CapabilityIcon of={name} className="text-mute" />
            {describeCapability(name)}
          </li>
        ))}
      </ul>
      {of('no').length === 0 ? null : <p className="mt-2 text-mute text-sm">Cannot: {words('no')}.</p>}
      {can.length === 0 || of('unknown').length === 0 ? null : (
        <p className="mt-1 text-mute text-sm">Not known: {words('unknown')}.</p>
      )}
    </>
  );
}

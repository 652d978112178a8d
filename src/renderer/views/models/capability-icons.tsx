import type { CapabilityMatrix } from '../../../shared/capabilities.ts';
import { describeCapability, tellingCapabilities } from '../../state/describe-capability.ts';
import { CapabilityIcon } from './capability-icon.tsx';

export interface CapabilityIconsProps {
  readonly capabilities: CapabilityMatrix;
  readonly className?: string;
}

/** What tells a model from others, a small picture each, with its words for who points at it or listens. */
export function CapabilityIcons({ capabilities, className = '' }: CapabilityIconsProps) {
  const names = tellingCapabilities(capabilities);
  if (names.length === 0) return null;
  return (
    <ul aria-label="can" className={`flex flex-wrap gap-x-1.5 gap-y-1 ${className}`}>
      {names.map((name) => (
        <li key={name} title={describeCapability(name)} className="flex h-[19px] items-center">
          <CapabilityIcon of={name} />
          <span className="sr-only">{describeCapability(name)}</span>
        </li>
      ))}
    </ul>
  );
}

import { CircleAlert, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

export interface NoticeProps {
  readonly tone: 'bad' | 'busy';
  readonly children: ReactNode;
  /** Read out when it appears; leave out for what stands there from the start. */
  readonly alert?: boolean;
  readonly className?: string;
}

/** Something is wrong: what, the numbers, and what to do, in words. */
export function Notice({ tone, children, alert = false, className = '' }: NoticeProps) {
  const Icon = tone === 'bad' ? CircleAlert : TriangleAlert;
  return (
    <div role={alert ? 'alert' : undefined} className={`flex items-start gap-2 ${className}`}>
      <Icon aria-hidden className={`mt-0.5 size-3.5 shrink-0 ${tone === 'bad' ? 'text-bad' : 'text-busy'}`} />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}

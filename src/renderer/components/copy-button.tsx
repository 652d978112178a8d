import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

export interface CopyButtonProps {
  readonly text: string;
  readonly name: string;
  readonly className?: string;
}

const SHOW_DONE_MS = 1_500;

/** Copies `text`, and shows for a moment that it did. */
export function CopyButton({ text, name, className = '' }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOW_DONE_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = () => {
    // Refused where the page is not served from a secure origin: then nothing was copied, and nothing says so.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  const Icon = copied ? Check : Copy;
  return (
    <Button
      look="bare"
      shape="square"
      name={name}
      title={copied ? 'Copied' : name}
      onClick={copy}
      className={className}
    >
      <Icon aria-hidden className={`size-3.5 ${copied ? 'text-good' : ''}`} />
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </Button>
  );
}

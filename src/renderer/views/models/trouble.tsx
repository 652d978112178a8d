import { X } from 'lucide-react';
import type { ModelView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import type { ModelNote } from '../../state/describe-model.ts';
import { useApp } from '../../state/services.tsx';

/** What is wrong with a model; a refusal can be dismissed. */
export function Trouble({ model, trouble }: { readonly model: ModelView; readonly trouble: ModelNote }) {
  const dismiss = useApp((state) => state.dismissFailure);
  const refused = trouble.kind === 'refused';
  return (
    <Notice tone={trouble.kind === 'problem' ? 'busy' : 'bad'} alert={refused}>
      <div className="flex items-start gap-2">
        <p className="max-w-[76ch]">
          <Words text={trouble.text} />
        </p>
        {refused ? (
          <Button
            look="bare"
            shape="square"
            name={`Dismiss the error of ${model.id}`}
            onClick={() => dismiss(model.id)}
            className="-my-1"
          >
            <X aria-hidden className="size-3.5" />
          </Button>
        ) : null}
      </div>
    </Notice>
  );
}

import { type Ref, useId } from 'react';
import { Words } from './words.tsx';

export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'password' | 'url';
  readonly placeholder?: string;
  readonly hint?: string;
  /** What is wrong with the value; takes the hint's place. */
  readonly problem?: string | undefined;
  readonly ref?: Ref<HTMLInputElement>;
}

/** A line of text with its name above it and what to write below it. */
export function TextField(props: TextFieldProps) {
  const { label, value, onChange, type = 'text', problem, hint } = props;
  const id = useId();
  const said = problem ?? hint;
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <input
        ref={props.ref}
        id={id}
        type={type}
        spellCheck={false}
        // A key is not the password of an account, and nobody's manager should keep it as one.
        autoComplete={type === 'password' ? 'new-password' : 'off'}
        placeholder={props.placeholder}
        aria-describedby={said === undefined ? undefined : `${id}-hint`}
        aria-invalid={problem !== undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="mt-1 block h-7 w-full min-w-0 rounded-md border border-edge bg-field px-2 aria-invalid:border-bad"
      />
      {said === undefined ? null : (
        <p id={`${id}-hint`} className={`mt-1 text-sm ${problem === undefined ? 'text-mute' : 'text-bad'}`}>
          <Words text={said} />
        </p>
      )}
    </div>
  );
}

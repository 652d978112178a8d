import type { ReactNode, Ref } from 'react';

export type ButtonLook = 'plain' | 'primary' | 'bare' | 'link';

const LOOKS: Readonly<Record<ButtonLook, string>> = {
  plain:
    'border border-edge bg-card text-ink shadow-(--shade) not-aria-disabled:hover:bg-ink/5 aria-disabled:text-mute aria-disabled:shadow-none',
  primary:
    'border border-transparent not-aria-disabled:bg-fill not-aria-disabled:text-white not-aria-disabled:hover:bg-fill-strong aria-disabled:bg-ink/8 aria-disabled:text-mute',
  bare: 'border border-transparent text-mute not-aria-disabled:hover:bg-ink/7 not-aria-disabled:hover:text-ink',
  link: 'border border-transparent not-aria-disabled:text-accent not-aria-disabled:hover:bg-accent/10 aria-disabled:text-mute',
};

export type ButtonShape = 'regular' | 'square' | 'pill';

const SHAPES: Readonly<Record<ButtonShape, string>> = {
  regular: 'rounded-md px-2.5',
  square: 'w-7 rounded-md',
  pill: 'rounded-full px-3',
};

export interface ButtonProps {
  readonly children: ReactNode;
  /** Left out by one that submits its form. */
  readonly onClick?: () => void;
  /** It submits the form that it stands in, as Enter does. */
  readonly submits?: boolean;
  readonly look?: ButtonLook;
  /** The accessible name where it says more than what is shown. */
  readonly name?: string | undefined;
  readonly disabled?: boolean;
  /** A `square` one holds only an icon and needs a `name`. */
  readonly shape?: ButtonShape;
  /** For a button that stays pressed: whether it is. */
  readonly pressed?: boolean;
  readonly title?: string;
  readonly className?: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

/**
 * A button. While disabled it keeps the keyboard's focus, so that who pressed it is still there when it comes back.
 * The second press of a double click is not a press: by then the button may already mean something else.
 */
export function Button(props: ButtonProps) {
  const { look = 'plain', disabled = false, shape = 'regular', className = '' } = props;
  return (
    <button
      ref={props.ref}
      type={props.submits ? 'submit' : 'button'}
      aria-label={props.name}
      aria-disabled={disabled}
      aria-pressed={props.pressed}
      title={props.title}
      onClick={(event) => {
        if (disabled || event.detail > 1) event.preventDefault();
        else props.onClick?.();
      }}
      className={`inline-flex h-7 shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap font-medium ${SHAPES[shape]} ${LOOKS[look]} ${className}`}
    >
      {props.children}
    </button>
  );
}

import type { ComponentChildren } from 'preact';

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  /** `danger` changes or deletes something for good. */
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  disabled?: boolean | undefined;
  /** For a reader who does not see the icon. */
  label?: string;
}

export const Button = ({ children, onClick, kind = 'plain', type = 'button', disabled, label }: ButtonProps) => (
  <button class={`button is-${kind}`} type={type} disabled={disabled} aria-label={label} onClick={onClick}>
    {children}
  </button>
);

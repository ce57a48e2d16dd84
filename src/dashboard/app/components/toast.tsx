import { signal } from '@preact/signals';

interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
}

/** Milliseconds for which it stays. One that says what went wrong stays until it is clicked. */
const STAYS = 5000;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

const remove = (id: number): void => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

/** Says what became of an action. */
export function toast(text: string, kind: Toast['kind'] = 'good'): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, text, kind }];
  if (kind === 'good') setTimeout(() => remove(id), STAYS);
}

/** Stands once in the app. */
export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite">
    {toasts.value.map(({ id, text, kind }) => (
      <button key={id} class={`toast is-${kind}`} type="button" onClick={() => remove(id)}>
        {text}
      </button>
    ))}
  </div>
);

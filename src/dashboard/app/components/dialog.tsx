import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../words/index.js';
import { Button } from './button.js';

interface DialogProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
}

/** The browser's own dialog: it keeps the focus inside, closes with Esc, and gives the focus back. */
export function Dialog({ title, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

interface Question {
  title: string;
  /** What happens then. */
  text?: string | undefined;
  /** More to fill in, such as a note. */
  fields?: ComponentChildren;
  /** The word on the button: the action itself, not `OK`. */
  action: string;
  isDanger?: boolean;
}

const asked = signal<(Question & { answer: (yes: boolean) => void }) | undefined>(undefined);

/** Asks before something happens. Resolves with whether the reader wants it. */
export const ask = (question: Question): Promise<boolean> =>
  new Promise((answer) => {
    asked.value?.answer(false);
    asked.value = { ...question, answer };
  });

/** Stands once in the app. */
export function Questions() {
  const question = asked.value;
  if (!question) return null;
  const close = (yes: boolean): void => {
    question.answer(yes);
    asked.value = undefined;
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    close(true);
  };
  return (
    <Dialog title={question.title} onClose={() => close(false)}>
      <form class="stack" onSubmit={submit}>
        {question.text && <p>{question.text}</p>}
        {question.fields}
        <p class="actions">
          <Button onClick={() => close(false)}>{t('common.cancel')}</Button>
          <Button type="submit" kind={question.isDanger ? 'danger' : 'primary'}>
            {question.action}
          </Button>
        </p>
      </form>
    </Dialog>
  );
}

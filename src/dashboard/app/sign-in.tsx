import { useRef, useState } from 'preact/hooks';
import { operatorWith } from './api/client.js';
import { textOf } from './api/act.js';
import { failureOf } from './api/failure.js';
import { access, signedIn, token } from './api/session.js';
import { Button } from './components/button.js';
import { t } from './words/index.js';

/** Asks for the operator's token, and tries it before it is kept. */
export function SignIn() {
  const input = useRef<HTMLInputElement>(null);
  const [isTrying, setTrying] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = input.current!.value.trim();
    if (given === '') return input.current!.focus();
    setTrying(true);
    setProblem('');
    try {
      const overview = await operatorWith(given).overview();
      token.value = given;
      access.value = overview.access;
      signedIn.value = 'yes';
    } catch (error) {
      const failure = failureOf(error);
      setProblem(failure.kind === 'refused' ? t('signIn.wrong') : textOf(failure));
      setTrying(false);
      input.current?.focus();
    }
  };
  return (
    <form class="sign-in stack" onSubmit={(event) => void submit(event)}>
      <h1>{t('signIn.title')}</h1>
      <label class="field">
        <span>{t('signIn.token')}</span>
        <input
          ref={input}
          type="password"
          name="token"
          autocomplete="current-password"
          aria-describedby="token-hint"
          aria-invalid={problem !== ''}
          autofocus
        />
      </label>
      <p id="token-hint" class="quiet">
        {t('signIn.hint')}
      </p>
      {problem && (
        <p class="notice is-bad" role="alert">
          {problem}
        </p>
      )}
      <p class="actions">
        <Button type="submit" kind="primary" disabled={isTrying}>
          {isTrying ? t('signIn.trying') : t('signIn.button')}
        </Button>
      </p>
    </form>
  );
}

import { useEffect } from 'preact/hooks';
import { operator } from './api/client.js';
import { failureOf } from './api/failure.js';
import { access, signedIn, signOut, token } from './api/session.js';
import { connection } from './api/use-poll.js';
import { Questions } from './components/dialog.js';
import { Keys } from './components/keys.js';
import { Empty, Gone, Skeleton } from './components/state.js';
import { Toasts } from './components/toast.js';
import { Header } from './header.js';
import { route } from './location.js';
import { pageOf } from './pages/index.js';
import { SignIn } from './sign-in.js';
import { t } from './words/index.js';

/** Milliseconds between two tries to reach a server that does not answer at the start. */
const AGAIN = 2000;

/** Whether the server lets this browser in, by the token of this tab or by a cookie of the host. */
async function look(): Promise<void> {
  try {
    const overview = await operator.overview();
    access.value = overview.access;
    signedIn.value = 'yes';
    connection.value = { failures: 0, message: '', nextAt: 0 };
  } catch (error) {
    const { kind, message } = failureOf(error);
    if (kind !== 'gone') return signOut();
    connection.value = { failures: connection.value.failures + 1, message, nextAt: 0 };
    setTimeout(() => void look(), AGAIN);
  }
}

export function App() {
  useEffect(() => void look(), []);
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t('app.skip')}
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        <Gone />
        <Content />
      </main>
      <Questions />
      <Keys />
      <Toasts />
    </>
  );
}

function Content() {
  // Who signs in again sees what that operator may see.
  if (signedIn.value === 'no') return <SignIn />;
  if (signedIn.value === 'unknown') return <Skeleton />;
  const page = pageOf(route.value.path);
  setTitle(page ? t(page.word) : t('app.notFound'));
  if (!page) return <Empty title={t('app.notFound')} text={t('app.notFound.text')} />;
  const [, ...rest] = route.value.path;
  return <page.Page key={`${page.path}/${rest.join('/')} ${token.value}`} rest={rest} query={route.value.query} />;
}

function setTitle(title: string): void {
  document.title = `${title} – softdd/task`;
}

/** The hash of the page is the route, so this link goes without one. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')!.focus();
}

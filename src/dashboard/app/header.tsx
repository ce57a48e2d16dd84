import { useRef } from 'preact/hooks';
import { access, signedIn, signOut } from './api/session.js';
import { Button } from './components/button.js';
import { Chip } from './components/chip.js';
import { showKeys, useKeys } from './components/keys.js';
import { zone } from './components/time.js';
import { SETTINGS } from './api/settings.js';
import { go, route } from './location.js';
import { pageOf, PAGES } from './pages/index.js';
import { hashOf } from './router.js';
import { type Theme, theme, THEMES } from './theme.js';
import type { Language } from './format/time.js';
import { language, LANGUAGES, t } from './words/index.js';

export function Header() {
  const isIn = signedIn.value === 'yes';
  return (
    <header class="header">
      <a class="brand" href={hashOf([])}>
        softdd/task{SETTINGS.name !== 'default' && <span class="quiet"> {SETTINGS.name}</span>}
      </a>
      {isIn && <Navigation />}
      <span class="grow" />
      {isIn && access.value === 'read' && <Chip>{t('app.readOnly')}</Chip>}
      {isIn && <Search />}
      <Menu isIn={isIn} />
    </header>
  );
}

const Navigation = () => (
  <nav class="nav" aria-label={t('app.nav')}>
    {PAGES.map(({ path, word }) => (
      <a
        key={path}
        href={hashOf([path].filter(Boolean))}
        aria-current={pageOf(route.value.path)?.path === path ? 'page' : undefined}
      >
        {t(word)}
      </a>
    ))}
  </nav>
);

/** Opens a task by its id: what people most often look for. */
function Search() {
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => input.current?.focus() });
  // The list of tasks has a search of its own, to which the key leads.
  const isOther = route.value.path.join('/') === 'tasks';
  const submit = (event: Event): void => {
    event.preventDefault();
    const id = input.current!.value.trim();
    if (id === '') return;
    input.current!.value = '';
    input.current!.blur();
    go(['tasks', id]);
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input
        ref={input}
        type="search"
        aria-label={t('app.search')}
        placeholder={isOther ? t('app.search') : `/ ${t('app.search')}`}
      />
    </form>
  );
}

function Menu({ isIn }: { isIn: boolean }) {
  return (
    <details class="menu">
      <summary aria-label={t('app.menu')}>☰</summary>
      <div class="menu-box stack">
        <Select
          label={t('app.language')}
          value={language.value}
          choices={Object.entries(LANGUAGES)}
          onChange={(value) => (language.value = value as Language)}
        />
        <Select
          label={t('app.theme')}
          value={theme.value}
          choices={THEMES.map((one) => [one, t(`app.theme.${one}`)])}
          onChange={(value) => (theme.value = value as Theme)}
        />
        <Select
          label={t('app.zone')}
          value={zone.value}
          choices={[
            ['local', t('app.zone.local')],
            ['utc', t('app.zone.utc')],
          ]}
          onChange={(value) => (zone.value = value as 'local' | 'utc')}
        />
        <Button onClick={showKeys}>{t('keys.title')}</Button>
        {isIn && <Button onClick={signOut}>{t('app.signOut')}</Button>}
      </div>
    </details>
  );
}

interface SelectProps {
  label: string;
  value: string;
  choices: readonly (readonly [value: string, name: string])[];
  onChange: (value: string) => void;
}

const Select = ({ label, value, choices, onChange }: SelectProps) => (
  <label class="field">
    <span>{label}</span>
    <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {choices.map(([choice, name]) => (
        <option key={choice} value={choice}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

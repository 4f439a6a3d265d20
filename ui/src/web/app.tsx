// The frame: navigation, theme, keyboard.

import { useEffect, useState } from 'preact/hooks';
import { FleetPage } from './fleet-page.tsx';
import { QueryPage } from './query-page.tsx';
import { AlertsPage, RulesPage } from './rules-pages.tsx';
import { TargetsPage } from './targets-page.tsx';
import { basePath } from './base-path.ts';

const pages = [
  ['query', 'Query', 'q', QueryPage],
  ['targets', 'Targets', 't', TargetsPage],
  ['alerts', 'Alerts', 'a', AlertsPage],
  ['rules', 'Rules', 'r', RulesPage],
  ['fleet', 'Fleet', 'f', FleetPage],
] as const;

function pageOf(path: string): (typeof pages)[number] {
  return pages.find(([name]) => path === `${basePath}/${name}`) ?? pages[0];
}

export function App() {
  const [name, title, , Page] = pageOf(location.pathname);
  const [theme, setTheme] = useState(() => localStorage.getItem('theme') ?? '');
  useEffect(() => {
    document.title = `${title} · Flotilla`;
    return listenForKeys();
  }, []);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem('theme', theme);
  }, [theme]);
  const toggle = (): void => {
    const isDark = theme === '' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
    setTheme(isDark ? 'light' : 'dark');
  };
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header>
        <a class="brand" href={`${basePath}/`}>
          Flotilla
        </a>
        <nav aria-label="Pages">
          {pages.map(([page, text, key]) => (
            <a
              key={page}
              href={`${basePath}/${page}`}
              data-testid={`nav-${page}`}
              aria-current={page === name ? 'page' : undefined}
              title={`g ${key}`}
            >
              {text}
            </a>
          ))}
        </nav>
        <button class="theme" aria-label="Light or dark" onClick={toggle}>
          ◐
        </button>
      </header>
      <main id="content">
        <Page />
      </main>
    </>
  );
}

/** `/` goes to the editor; g and a letter goes to a page. Nothing happens while typing. */
function listenForKeys(): () => void {
  let afterG = false;
  const onKey = (event: KeyboardEvent): void => {
    const element = event.target as HTMLElement;
    if (
      element.isContentEditable ||
      /^(?:INPUT|TEXTAREA|SELECT)$/.test(element.tagName) ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    const page = pages.find(([, , key]) => key === event.key);
    if (afterG && page !== undefined) location.href = `${basePath}/${page[0]}`;
    afterG = event.key === 'g';
    if (event.key !== '/') return;
    event.preventDefault();
    document.querySelector<HTMLElement>('.cm-content, input[type=search]')?.focus();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

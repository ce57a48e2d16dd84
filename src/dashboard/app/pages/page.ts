import type { ComponentType } from 'preact';
import type { Word } from '../words/index.js';

/** What a page is given of its address. */
export interface PageProps {
  /** What follows its path, such as the id of a task. */
  rest: readonly string[];
  query: Readonly<Record<string, string>>;
}

export interface PageEntry {
  /** The first part of its path. Empty: the first page. */
  path: string;
  /** Its name in the navigation. */
  word: Word;
  Page: ComponentType<PageProps>;
}

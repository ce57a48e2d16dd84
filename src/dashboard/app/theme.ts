import { effect } from '@preact/signals';
import { stored } from './api/stored.js';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

/** `auto` follows the system. */
export const theme = stored<Theme>('theme', 'auto');

export const startTheme = (): (() => void) =>
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });

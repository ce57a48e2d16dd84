import { BatchesPage } from './batches.js';
import { BulkPage } from './bulk.js';
import { CallbacksPage } from './callbacks/callbacks.js';
import { OverviewPage } from './overview/overview.js';
import type { PageEntry } from './page.js';
import { SchedulesPage } from './schedules/schedules.js';
import { ServicesPage } from './services.js';
import { TasksPage } from './tasks.js';
import { WorkersPage } from './workers.js';

/** All pages, in the order of the navigation. */
export const PAGES: readonly PageEntry[] = [
  { path: '', word: 'nav.overview', Page: OverviewPage },
  { path: 'tasks', word: 'nav.tasks', Page: TasksPage },
  { path: 'services', word: 'nav.services', Page: ServicesPage },
  { path: 'schedules', word: 'nav.schedules', Page: SchedulesPage },
  { path: 'batches', word: 'nav.batches', Page: BatchesPage },
  { path: 'callbacks', word: 'nav.callbacks', Page: CallbacksPage },
  { path: 'bulk', word: 'nav.bulk', Page: BulkPage },
  { path: 'workers', word: 'nav.workers', Page: WorkersPage },
];

export const pageOf = ([first = '']: readonly string[]): PageEntry | undefined =>
  PAGES.find(({ path }) => path === first);

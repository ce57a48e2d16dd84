import { TASK_STATUS } from '../../../protocol/status.js';

interface Given {
  name: string;
  operator: string;
  tasks: string;
  claims: string;
  status: Record<string, number>;
}

const text = document.querySelector<HTMLMetaElement>('meta[name="softdd-task"]')?.content ?? '';
const given = JSON.parse(text.startsWith('{') ? text : '{}') as Partial<Given>;
const absolute = (relative: string): string => new URL(relative, document.baseURI.replace(/[#?].*$/, '')).href;

/** What the server has told the page: src/dashboard/page-settings.ts. Addresses are absolute here. */
export const SETTINGS: Given = {
  name: given.name ?? 'default',
  operator: absolute(given.operator ?? 'api/operator'),
  tasks: absolute(given.tasks ?? 'api/tasks'),
  claims: absolute(given.claims ?? 'api/crontask'),
  status: given.status ?? TASK_STATUS,
};

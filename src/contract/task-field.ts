import type { StoredColumn } from './column.js';

/** What the API says of a field. */
interface FieldDoc {
  description?: string;
  example?: unknown;
}

/** Requests that write a field: of a user who creates or changes a task, of a worker that reports. */
export type FieldUse = 'create' | 'change' | 'report';

/** One field of a task. */
export type TaskField = StoredColumn & {
  /** Name of the column. @defaultValue the field's name */
  column?: string;
  /** What a request may send, if the column holds more: the bounds of an integer, or an http(s) URL. */
  value?: { min?: number; max?: number } | 'url';
  /** What clients see of it. Absent: they do not see it. */
  shown?: FieldDoc & {
    /** Name on the wire. @defaultValue the field's name */
    name?: string;
    minimum?: number;
    maximum?: number;
    /** NULL is shown as the empty text. */
    nullAs?: '';
    /** NULL is left out. */
    optional?: true;
  };
} & {
  /** The request may write it. The description is that of `shown`, unless the request has its own. */
  [use in FieldUse]?: FieldDoc & { required?: true; default?: number };
};

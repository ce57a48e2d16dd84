import { BatchPage } from './batches/batch.js';
import { BatchList } from './batches/list.js';
import type { PageProps } from './page.js';

export function BatchesPage({ rest: [id], query }: PageProps) {
  return id === undefined ? <BatchList query={query} /> : <BatchPage id={id} query={query} />;
}

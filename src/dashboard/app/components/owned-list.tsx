import { usePoll } from '../api/use-poll.js';
import { t } from '../words/index.js';
import { Conditions } from './conditions.js';
import { type Listed, ListPage, type ListPageProps } from './list-page.js';
import { Pages } from './pages.js';
import type { Column } from './table.js';

/** Rows of a page. */
const SHOWN = 100;

interface Query<State> {
  limit: number;
  state?: State;
  userId?: string;
  cursor?: string;
}

interface OwnedListProps<State extends string, Row> extends Pick<
  ListPageProps<Row>,
  'title' | 'empty' | 'keyOf' | 'onOpen' | 'dialog'
> {
  query: Readonly<Record<string, string>>;
  client: { list(query: Query<State>, options: { signal: AbortSignal }): Promise<Listed<Row>> };
  states: { label: string; choices: readonly (readonly [state: State, name: string])[] };
  columns: (reload: () => void) => readonly Column<Row>[];
  /** Said below an empty table if there are conditions. */
  noneSuch: string;
}

/** A page with what belongs to users, of all of them: by state and by owner, page by page. */
export function OwnedList<State extends string, Row>(props: OwnedListProps<State, Row>) {
  const { query, client, states, columns, empty, noneSuch, ...rest } = props;
  const { userId, cursor } = query;
  const state = states.choices.map(([one]) => one).find((one) => one === query.state);
  const conditions = { ...(state && { state }), ...(userId && { userId }) };
  const asked = { limit: SHOWN, ...conditions, ...(cursor && { cursor }) };
  const page = usePoll(JSON.stringify(asked), (signal) => client.list(asked, { signal }));
  const none = Object.keys(conditions).length > 0 ? noneSuch : undefined;
  return (
    <ListPage
      {...rest}
      of={page}
      toolbar={<Conditions query={query} name="state" value={state} {...states} others={{ userId: t('task.owner') }} />}
      columns={columns(page.reload)}
      empty={none === undefined && empty}
      foot={({ list, nextCursor }) => (
        <>
          {list.length === 0 && none !== undefined && <p class="quiet">{none}</p>}
          <Pages cursor={cursor} nextCursor={nextCursor} />
        </>
      )}
    />
  );
}

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { FirstTask } from '../../components/first-task.js';
import { Empty, Failed, Skeleton } from '../../components/state.js';
import { Table } from '../../components/table.js';
import { wholeTime } from '../../components/time.js';
import { count } from '../../format/number.js';
import { go } from '../../location.js';
import { language, plural, t } from '../../words/index.js';
import { JobProgress } from '../bulk/job-progress.js';
import { columns } from './columns.js';
import type { FeedState, TaskFeed } from './feed.js';
import { FilterBar } from './filter-bar.js';
import { filterOf, isEmpty } from './filter.js';
import { NOTHING, type Selected, SelectionBar } from './selection-bar.js';
import { useFeed } from './use-feed.js';

/** Rows before the last one at which more are read. */
const AHEAD = 300;

export function TaskList({ query }: { query: Readonly<Record<string, string>> }) {
  const text = JSON.stringify(filterOf(query));
  const filter = useMemo(() => filterOf(query), [text]);
  const { feed, state, place, reload } = useFeed(filter);
  const [selected, setSelected] = useState<Selected>(NOTHING);
  useEffect(() => setSelected(NOTHING), [text]);
  const box = useRef<HTMLDivElement>(null);
  const { rows, isLoaded, failure, end } = state.value;
  const showNew = (): void => {
    feed.showNew();
    const table = box.current?.querySelector('.table-box');
    if (table) table.scrollTop = 0;
  };
  return (
    <div class="tasks" ref={box}>
      <h1>{t('nav.tasks')}</h1>
      <FilterBar query={query} rows={rows} />
      {mayChange() && <JobProgress onEnd={reload} />}
      {failure && failure.kind !== 'refused' && <Failed failure={failure} onRetry={reload} />}
      {!isLoaded && !failure && <Skeleton rows={12} />}
      {isLoaded && (
        <div class="list-bar">
          <SelectionBar filter={filter} selected={selected} onSelect={setSelected} />
          <New state={state.value} onShow={showNew} />
        </div>
      )}
      {rows.length > 0 && (
        <Table
          label={t('nav.tasks')}
          columns={columns()}
          rows={rows}
          keyOf={({ taskId }) => taskId}
          onOpen={({ taskId }) => go(['tasks', taskId])}
          selected={selected.keys}
          isAllSelected={selected.isAll}
          onSelect={mayChange() ? (keys) => setSelected({ keys, isAll: false }) : undefined}
          onEnd={() => void feed.more()}
          ahead={AHEAD}
          onSight={(seen) => feed.see(seen)}
          place={place}
          rowClass={({ isGone }) => (isGone ? 'is-gone' : '')}
        />
      )}
      {isLoaded && rows.length === 0 && end === 'end' && (isEmpty(filter) ? <FirstTask /> : <NoneFits />)}
      {isLoaded && <Foot feed={feed} state={state.value} />}
    </div>
  );
}

const NoneFits = () => (
  <Empty title={t('tasks.none')}>
    <p>{t('tasks.none.text')}</p>
    <Button onClick={() => go(['tasks'])}>{t('tasks.clear')}</Button>
  </Empty>
);

const New = ({ state: { fresh, isFreshAtLeast }, onShow }: { state: FeedState; onShow: () => void }) => (
  <span role="status">
    {fresh > 0 && (
      <Button kind="primary" onClick={onShow}>
        {plural('tasks.new', fresh, { n: count(fresh, language.value, isFreshAtLeast) })}
      </Button>
    )}
  </span>
);

/** How many tasks are there, how far the search came, and how to go on. */
function Foot({
  feed,
  state: { rows, end, searchedTo, isReading, moreFailure },
}: {
  feed: TaskFeed;
  state: FeedState;
}) {
  if (moreFailure) return <Failed failure={moreFailure} onRetry={() => void feed.more(true)} />;
  const n = count(rows.length, language.value, end !== 'end');
  return (
    <p class="row quiet foot">
      {rows.length > 0 && (
        <span class="number">{plural(end === 'end' ? 'tasks.all' : 'tasks.read', rows.length, { n })}</span>
      )}
      {rows.length === 0 && end === 'bounded' && <span>{t('tasks.nothingYet')}</span>}
      {end === 'bounded' && searchedTo !== null && <span>{t('tasks.searched', { time: wholeTime(searchedTo) })}</span>}
      {end === 'bounded' && !isReading && <Button onClick={() => void feed.more(true)}>{t('tasks.searchOn')}</Button>}
      {isReading && <span>{t('common.loading')}…</span>}
      {isReading && end === 'bounded' && <Button onClick={() => feed.stop()}>{t('bulk.stop')}</Button>}
    </p>
  );
}

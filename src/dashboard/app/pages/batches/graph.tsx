import { useMemo } from 'preact/hooks';
import type { BatchMember } from '../../../../protocol/batch.types.js';
import { hashOf } from '../../router.js';
import { statusName, statusOf } from '../../status.js';
import { t } from '../../words/index.js';
import { type GraphShape, type Line, pathOf, shapeOf } from './graph-shape.js';

/** Letters that fit into a task of the picture. */
const LETTERS = 17;
/** Lines of all edges up to which each task has its own a second time. More would make the page slow. */
const MOST_LINES = 20_000;

/** The paths of all lines, and of those of each task, which stand out while it is pointed at. */
function pathsOf({ nodes, edges }: GraphShape): { all: string; own: Map<string, string> } {
  const lines = edges.flatMap((edge) => edge.lines);
  const own = new Map(nodes.map(({ taskId }) => [taskId, new Set<Line>()]));
  if (lines.length <= MOST_LINES)
    for (const { from, to, lines } of edges)
      for (const line of lines) for (const taskId of [from, to]) own.get(taskId)!.add(line);
  return { all: pathOf(new Set(lines)), own: new Map([...own].map(([taskId, some]) => [taskId, pathOf(some)])) };
}

/** The tasks of a batch, and which of them wait for which, from left to right. */
export function Graph({ tasks }: { tasks: readonly BatchMember[] }) {
  const structure = tasks.map(({ taskId }) => taskId).join();
  const shape = useMemo(() => shapeOf(tasks), [structure]);
  const { all, own } = useMemo(() => pathsOf(shape), [shape]);
  const known = new Map(tasks.map((task) => [task.taskId, task]));
  const { width, height, isNamed } = shape.node;
  return (
    <section>
      <h2>{t('batches.graph')}</h2>
      <div class="graph" tabIndex={0} role="region" aria-label={t('batches.graph')}>
        <svg
          class={isNamed ? '' : 'is-small'}
          width={shape.width}
          height={shape.height}
          aria-label={t('batches.graph')}
          role="group"
        >
          <path class="edges" d={all} />
          {shape.nodes.map(({ taskId, x, y }) => {
            const { status, ref } = known.get(taskId)!;
            const look = status === null ? undefined : statusOf(status);
            const name = ref ?? `…${taskId.slice(-8)}`;
            const said = `${name}: ${look ? statusName(look) : t('tasks.gone')}`;
            return (
              <g key={taskId}>
                <a class={look?.className ?? 'is-draft'} href={hashOf(['tasks', taskId])} aria-label={said}>
                  <title>{said}</title>
                  <rect class="node" x={x} y={y} width={width} height={height} rx="4" />
                  <rect class="node-mark" x={x} y={y} width={isNamed ? 6 : width} height={height} rx="3" />
                  {isNamed && (
                    <text class="node-name" x={x + 14} y={y + 18}>
                      {name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name}
                    </text>
                  )}
                </a>
                <path class="edges is-own" d={own.get(taskId)} />
              </g>
            );
          })}
        </svg>
      </div>
    </section>
  );
}

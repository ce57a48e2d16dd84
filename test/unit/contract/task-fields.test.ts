import { describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { getMetadataArgsStorage } from 'typeorm';
import { TASK_FIELDS, TASK_TABLE_COLUMNS, type TaskField, writtenFields } from '../../../src/contract/task.fields.js';
import { CreateTaskDto, ReportTaskDto, Task, UpdateTaskDto } from '../../../src/index.js';
import { parametersOf } from '../../../src/validation/field.js';

const FIELDS = Object.entries(TASK_FIELDS as Record<string, TaskField>);

/** Parameters of reports that are about the lease or the service, and not a field of the task. */
const NO_FIELDS = ['leaseToken', 'lease', 'retry', 'delay', 'pauseService'];

describe('the fields of a task, as they are declared', () => {
  it('are the properties and columns of the entity, in this order', () => {
    const columns = getMetadataArgsStorage().filterColumns(Task);
    expect(columns.map(({ propertyName, options }) => [propertyName, options.name])).toEqual(
      FIELDS.map(([name, { column = name }]) => [name, column]),
    );
    expect(Object.keys(TASK_TABLE_COLUMNS)).toEqual(columns.map(({ options }) => options.name));
  });

  it('that clients see are those of toResponse()', () => {
    const shown = FIELDS.filter(([, field]) => field.shown).map(([name, { shown }]) => shown!.name ?? name);
    // Those that are left out without a schedule, a unique key or a batch are there with one.
    const optionals = { scheduleKey: 'nightly', scheduledFor: new Date(), uniqueKey: 'one', batchId: 'id' };
    const task = Object.assign(new Task(), optionals);
    expect(Object.keys(task.toResponse()).sort()).toEqual(shown.sort());
    const optional = FIELDS.filter(([, field]) => field.shown?.optional).map(([name]) => name);
    const always = shown.filter((name) => !optional.includes(name));
    expect(Object.keys(new Task().toResponse()).sort()).toEqual(always.sort());
  });

  it.each([
    ['create', CreateTaskDto, ['unique']],
    ['change', UpdateTaskDto, []],
    ['report', ReportTaskDto, NO_FIELDS],
  ] as [use: 'create' | 'change' | 'report', Dto: Type, others: string[]][])(
    'that a %s may write are those of its DTO',
    (use, Dto, others) => {
      const fields = writtenFields(use).map(([name]) => name);
      expect([...fields, ...others].sort()).toEqual(
        parametersOf(Dto)
          .map(({ name }) => name)
          .sort(),
      );
    },
  );

  it('have a description if a request may write them', () => {
    for (const use of ['create', 'change', 'report'] as const)
      for (const [, field] of writtenFields(use))
        expect((field[use]!.description ?? field.shown?.description)?.length).toBeGreaterThan(0);
  });
});

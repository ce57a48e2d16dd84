import { describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import fc from 'fast-check';
import {
  ClaimTaskDto,
  CreateTaskDto,
  ListTasksDto,
  RemoveTasksDto,
  ReportTaskDto,
  ReportTasksDto,
  UpdateTaskDto,
} from '../../../src/index.js';
import { inputPipe, dtoFields } from '../../../src/http/request/input.pipe.js';
import { WHOLE } from '../../support/host.js';

/** A subclass is a host's own: it goes through class-validator, while ours are compiled. */
const viaClassValidator = (Dto: Type): Type => class extends Dto {};

const pipe = inputPipe();

/** What an input becomes, or everything that is said against it. */
async function outcome(Dto: Type, input: object): Promise<unknown> {
  try {
    return { ...((await pipe.transform(structuredClone(input), { type: 'custom', metatype: Dto })) as object) };
  } catch (error) {
    return (error as { detail: { field: string }[] }).detail.sort((a, b) => (a.field < b.field ? -1 : 1));
  }
}

const value = fc.oneof(
  fc.constantFrom('', '5', '-5', '+7', 'true', 'false', '0', '1', '1.5', 'null', '["a"]', '[]', 'a\0', '\ud800'),
  fc.constantFrom('2026-12-24T18:00:00+01:00', '2026-12-24', 'x'.repeat(65), 'ü'.repeat(40_000), 'x'.repeat(300)),
  fc.constantFrom(0, 1, -1, 1.5, 10, 20, 30, 101, 86_401, 2 ** 40, NaN, true, false),
  fc.constantFrom([], ['a'], [1], {}, { a: 1 }, [{ taskId: 'a' }], Array(1001).fill('x')),
  fc.string(),
  fc.integer(),
);

describe.each([
  CreateTaskDto,
  UpdateTaskDto,
  ListTasksDto,
  RemoveTasksDto,
  ClaimTaskDto,
  ReportTaskDto,
  ReportTasksDto,
])('the compiled checks of %p', (Dto: Type) => {
  it('find what class-validator finds, and make of an input what it makes', async () => {
    const fields = [...dtoFields(Dto), 'unknown'];
    const inputs = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: fields.length });
    const Derived = viaClassValidator(Dto);
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        expect(await outcome(Dto, input)).toEqual(await outcome(Derived, input));
      }),
      { numRuns: WHOLE ? 300 : 100 },
    );
  });
});

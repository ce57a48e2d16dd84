import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Column, type ColumnType } from 'typeorm';
import { TASK_FIELDS, type TaskField, type TaskFieldName } from './task.fields.js';

const TYPES: Record<TaskField['kind'], ColumnType> = {
  id: 'varchar',
  digest: 'varchar',
  key: 'varchar',
  string: 'varchar',
  text: 'text',
  'long text': 'text',
  tiny: 'smallint',
  small: 'smallint',
  int: 'int',
  big: 'bigint',
  time: Date,
  'local time': Date,
};

/** Makes a property of the entity the column that `TASK_FIELDS` declares under its name, and documents it. */
export function TaskColumn(): PropertyDecorator {
  return (target, property) => {
    const field: TaskField = TASK_FIELDS[property as TaskFieldName];
    const { column = property as string, kind, length, nullable = false, shown } = field;
    const preset = field.default === undefined ? {} : { default: field.default };
    const size = length === undefined ? {} : { length };
    Column({ name: column, type: TYPES[kind], primary: kind === 'id' && !nullable, nullable, ...size, ...preset })(
      target,
      property,
    );
    if (!shown) return;
    const { nullAs, optional, ...doc } = shown;
    const isNull = optional ? { required: false } : nullable && nullAs === undefined ? { nullable } : {};
    ApiProperty({ ...schemaOf(field), ...isNull, ...doc } as ApiPropertyOptions)(target, property);
  };
}

/** The value in the JSON of a task. */
function schemaOf({ kind, length }: TaskField): object {
  switch (kind) {
    case 'time':
    case 'local time':
      return { type: 'string', format: 'date-time', example: '2026-11-24T09:30:00.000Z' };
    case 'tiny':
    case 'small':
    case 'int':
      return { type: 'integer' };
    case 'id':
      return { type: 'string', format: 'uuid' };
    default:
      return length === undefined ? { type: 'string' } : { type: 'string', maxLength: length };
  }
}

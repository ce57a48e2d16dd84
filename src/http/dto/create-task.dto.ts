import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ownUrlRule, URL_LENGTH } from '../../callbacks/targets/allow-list.js';
import {
  BOUNDS,
  keyRule,
  maxAttemptsRule,
  nameRule,
  priorityRule,
  textRule,
  timeRule,
  wholeRule,
} from '../../validation/rules.js';
import { Field, toInteger, toText } from '../../validation/field.js';

@ApiSchema({ name: 'createTask' })
export class CreateTaskDto {
  @ApiProperty({
    description: `What to work on, e.g. an object-storage id; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
    example: 's3://bucket/in.mp4',
  })
  @Field(textRule, { to: toText, required: true })
  input!: string;

  @ApiPropertyOptional({
    description: `Parameters of the work; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  args?: string;

  @ApiPropertyOptional({
    description: `Kind of work, by which workers filter; at most ${BOUNDS.nameLength} characters. If absent, the default service.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  service?: string;

  @ApiPropertyOptional({
    description: `Narrows what a worker claims within the service; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  group?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Tasks with a lower number are claimed first; with the same number, the oldest first. The option `userPriority` ' +
      'may narrow the range.',
    minimum: BOUNDS.priority.min,
    maximum: BOUNDS.priority.max,
    default: 0,
  })
  @Field(priorityRule, { to: toInteger })
  priority?: number;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description:
      'The task waits until this time, and is ready from then on: ISO 8601 with a time zone, such as ' +
      '2026-12-24T18:00:00+01:00.',
  })
  @Field(timeRule)
  runAt?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Attempts until the task has failed for good. If absent, the configuration decides.',
    minimum: BOUNDS.maxAttempts.min,
    maximum: BOUNDS.maxAttempts.max,
  })
  @Field(maxAttemptsRule, { to: toInteger })
  maxAttempts?: number;

  @ApiPropertyOptional({
    format: 'uri',
    description:
      'The server sends a notice to this address when the task ends, instead of to the one in the configuration. It ' +
      'must be http or https, without user and password, at an origin that the configuration allows, and at a public ' +
      'address unless the configuration allows others.',
    maxLength: URL_LENGTH,
  })
  @Field(ownUrlRule)
  callbackUrl?: string;

  /** Alias of the header Idempotency-Key, only for handlers of a host. */
  @Field(keyRule)
  idempotencyKey?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'INIT for a draft (the default), BEGIN for a task that is ready to be claimed.',
    example: 10,
  })
  @Field(wholeRule, { to: toInteger })
  status?: number;
}

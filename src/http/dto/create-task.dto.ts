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
    description: `Kind of work: what workers filter by; at most ${BOUNDS.nameLength} characters. Absent: the default service.`,
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
    description: 'Lower is claimed first; the same: oldest first. Option `userPriority` may narrow the range.',
    minimum: BOUNDS.priority.min,
    maximum: BOUNDS.priority.max,
    default: 0,
  })
  @Field(priorityRule, { to: toInteger })
  priority?: number;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Ready from then on, and waiting until then: ISO 8601 with its zone, as 2026-12-24T18:00:00+01:00.',
  })
  @Field(timeRule)
  runAt?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Attempts until the task has failed for good. Absent: as the configuration says.',
    minimum: BOUNDS.maxAttempts.min,
    maximum: BOUNDS.maxAttempts.max,
  })
  @Field(maxAttemptsRule, { to: toInteger })
  maxAttempts?: number;

  @ApiPropertyOptional({
    format: 'uri',
    description:
      'Where the notice of the end goes, instead of where the configuration says: http or https, without a user, at an ' +
      'origin that the configuration allows, and at a public address unless it allows another.',
    maxLength: URL_LENGTH,
  })
  @Field(ownUrlRule)
  callbackUrl?: string;

  /** Alias of the header Idempotency-Key, for a host's own handlers alone. */
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

import { ApiSchema } from '@nestjs/swagger';
import { CALLBACK_STATES, type CallbackState } from '../../callbacks/callback.js';
import { oneOf, originRule } from '../../validation/choice.rules.js';
import { Field } from '../../validation/field.js';
import { callbackLimitRule, cursorRule, shortText } from '../../validation/rules.js';

/** Which callbacks. */
@ApiSchema({ name: 'callbackFilter' })
export class CallbackFilterDto {
  @Field(oneOf(CALLBACK_STATES), { description: 'Only callbacks in this state.' })
  state?: CallbackState;

  @Field(shortText(36), { description: 'Only callbacks of this task.' })
  taskId?: string;

  @Field(originRule, { description: 'Only callbacks to this origin, such as https://app.example.com.' })
  origin?: string;
}

@ApiSchema({ name: 'listCallbacks' })
export class CallbackListDto extends CallbackFilterDto {
  @Field(callbackLimitRule, { description: 'The most callbacks.', default: 100 })
  limit?: number;

  @Field(cursorRule, { description: 'The `nextCursor` of the answer before.' })
  cursor?: string;
}

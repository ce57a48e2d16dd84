import type { Schema } from './envelope.js';

export const list = (description: string, items: Schema): Schema => ({ type: 'array', description, items });

export const object = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

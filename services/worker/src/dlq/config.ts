// Environment of the command for dead letters: what the worker's pods have anyway.
import { Type } from '@sinclair/typebox';
import { kafkaVariables } from '../kafka/config.ts';

export const dlqConfig = Type.Object(kafkaVariables);

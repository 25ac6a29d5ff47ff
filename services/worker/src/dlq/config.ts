// Environment of the command for dead letters: what the worker's pods have anyway.
import { list } from '@parley/kit';
import { Type } from '@sinclair/typebox';

export const dlqConfig = Type.Object({ kafkaBrokers: list('host:port of Kafka brokers, comma-separated') });

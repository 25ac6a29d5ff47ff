// Names of topics. Pure.

/** Names that Kafka takes, with room for the ending of a dead-letter topic. */
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,240}$/;

export const isTopicName = (name: string): boolean => TOPIC_NAME.test(name);

export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

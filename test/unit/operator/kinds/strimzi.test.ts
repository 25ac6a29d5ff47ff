// What the status says of a Kafka that Strimzi keeps. Pure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strimziObstacle, type StrimziSeen } from '../../../../operator/src/kinds/strimzi.ts';
import { planOf } from '../../cdk8s/rendered.ts';

const plan = planOf({ kafka: { mode: 'strimzi' } });
const kafka = (status: object | undefined, generation = 2): StrimziSeen => ({
  state: 'served',
  kafka: { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', metadata: { name: 'demo-kafka', generation }, ...(status ? { status } : {}) },
});
const of = (seen: StrimziSeen) => {
  const { reason, message } = strimziObstacle(seen, plan) ?? { reason: '', message: '' };
  return `${reason} ${message}`;
};

test('ready is what Strimzi calls ready, of the newest spec', () => {
  const conditions = [{ type: 'Ready', status: 'True' }];
  assert.equal(strimziObstacle(kafka({ observedGeneration: 2, conditions }), plan), undefined);
  assert.match(of(kafka({ observedGeneration: 1, conditions })), /KafkaNotReady Strimzi is changing the Kafka demo-kafka/);
});

test('what is not there yet is told with the next step', () => {
  assert.match(of({ state: 'unknown', kafka: undefined }), /^LookingForStrimzi/);
  assert.match(of({ state: 'missing', kafka: undefined }), /^StrimziMissing .*install Strimzi 0\.49 or newer, for instance helm install/);
  assert.match(of({ state: 'forbidden', kafka: undefined }), /^StrimziForbidden .*charts\/strimzi-rights\.yaml/);
  assert.match(of({ state: 'served', kafka: undefined }), /demo-kafka does not exist yet/);
  assert.match(of(kafka(undefined)), /has not looked at the Kafka demo-kafka yet.*watch the namespace team/);
});

test('the words of Strimzi are passed on, all of them', () => {
  const conditions = [
    { type: 'NotReady', status: 'True', reason: 'InvalidResourceException', message: 'no such class' },
    { type: 'Warning', status: 'True', reason: 'KafkaStorage', message: 'one replica only' },
  ];
  const told = of(kafka({ observedGeneration: 2, conditions }));
  assert.match(
    told,
    /InvalidResourceException: no such class; KafkaStorage: one replica only\. Look at: kubectl -n team describe kafka demo-kafka/,
  );
});

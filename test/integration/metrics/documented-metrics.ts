// Drives each documented metric of a service by one known event. What is documented is read from the sources that docs/reference/metrics.md is
// written from, so a metric that nothing here drives fails the suite.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonMetrics, metricsOf } from '../../../docs/generate/sources.ts';
import { eventually } from '../../helpers/eventually.ts';

type Labels = Record<string, string>;
/** Makes something happen of which the metric tells, and asserts by how much it moved. */
export type Event = (metric: Metric) => Promise<void>;

/** One metric of a running process. */
export class Metric {
  readonly #name: string;
  readonly #url: () => string;
  constructor(name: string, url: () => string) {
    this.#name = name;
    this.#url = url;
  }

  /** The sum over all samples with these labels; undefined when there is none. Of a histogram: how many values it has. */
  async value(labels: Labels = {}): Promise<number | undefined> {
    const text = await (await fetch(this.#url())).text();
    const names = [this.#name, `${this.#name}_count`];
    const values = text.split('\n').flatMap((line) => {
      const [, name = '', inBraces = '', value] = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const has = (label: string) => (inBraces === '' ? [] : inBraces.split(/,(?=\w+=")/)).includes(label);
      return names.includes(name) && Object.entries(labels).every(([key, each]) => has(`${key}="${each}"`)) ? [Number(value)] : [];
    });
    return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0);
  }

  /** What `act` does moves the samples with these labels by `by`, and those with any labels by `inAll`, which is the same unless told. */
  async rises(by: number, labels: Labels, act: () => Promise<unknown>, inAll = by): Promise<void> {
    const before = [(await this.value(labels)) ?? 0, (await this.value()) ?? 0] as const;
    await act();
    const after = [(await this.value(labels)) ?? 0, (await this.value()) ?? 0] as const;
    const name = `${this.#name} ${JSON.stringify(labels)}`;
    assert.deepEqual([after[0] - before[0], after[1] - before[1]], [by, inAll], `${name}: how much it rose, and with all labels`);
  }

  /** For what is measured at an interval or told after the answer. */
  async becomes(expected: number, labels: Labels = {}): Promise<void> {
    await eventually(`${this.#name} ${JSON.stringify(labels)} is ${expected}`, async () => (await this.value(labels)) === expected);
  }
}

/** A test for each metric, in the order given, and one that none is missing. `common`: with those that every service has. */
export async function driveEach(
  service: string,
  { metricsUrl, common = false }: { metricsUrl: () => string; common?: boolean },
  events: Record<string, Event>,
): Promise<void> {
  const { metrics } = await metricsOf(service);
  const documented = [...(common ? commonMetrics() : []), ...metrics].map(({ name }) => name);
  test(`each documented metric of ${service} has an event that drives it`, () => {
    assert.deepEqual(Object.keys(events).sort(), [...new Set(documented)].sort());
  });
  for (const [name, event] of Object.entries(events)) test(name, () => event(new Metric(name, metricsUrl)));
}

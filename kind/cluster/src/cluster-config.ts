// The kind configuration with the number of workers that was asked for. Pure.
import { parse, stringify } from 'yaml';

interface KindConfig {
  nodes: { role: string }[];
  networking: { podSubnet: string; serviceSubnet: string };
}

/** `text` is kind/cluster/cluster.yaml. Its first workers are kept; more are copies of the last one. */
export function withWorkers(text: string, workers: number): string {
  const config = parse(text) as KindConfig;
  const others = config.nodes.filter(({ role }) => role !== 'worker');
  const given = config.nodes.filter(({ role }) => role === 'worker');
  const last = given.at(-1) ?? { role: 'worker' };
  const wanted = Array.from({ length: workers }, (_, index) => given[index] ?? last);
  return stringify({ ...config, nodes: [...others, ...wanted] }, { aliasDuplicateObjects: false });
}

/** Addresses of pods and Services. */
export function subnets(text: string): string[] {
  const { podSubnet, serviceSubnet } = (parse(text) as KindConfig).networking;
  return [podSubnet, serviceSubnet];
}

// What a drill says: as a line while it runs, and as a Markdown report afterwards. Pure, and the same wherever it is read.
import type { ChatDrill } from '@parley/operator-api';

/** The condition that is True; of a drill that nobody has looked at yet there is none. */
export const toldBy = ({ status }: Pick<ChatDrill, 'status'>) => status?.conditions?.find(({ status: value }) => value === 'True');

/** A drill as text: what was done, what the canary saw, and the verdict. */
export function report(drill: ChatDrill): string {
  const { metadata, spec, status = {} } = drill;
  const told = toldBy(drill);
  const lasts = spec.fault === 'PauseMySQL' || spec.fault === 'CutKafka';
  const rows: [string, string | number | undefined][] = [
    ['ChatCluster', `${metadata.namespace}/${spec.cluster}`],
    ['Fault', lasts ? `${spec.fault}, ${spec.durationSeconds} s` : spec.fault],
    ['Result', told ? `${told.type}: ${told.reason}` : 'not taken up yet'],
    ['Pods', status.targets?.map(({ name }) => name).join(', ')],
    ['Started', status.startedAt],
    ['Fault there', status.faultAt],
    ['Fault over', status.faultEndedAt],
    ['Recovered', status.recoveredAt],
    ['Recovery', status.recoverySeconds === undefined ? undefined : `${status.recoverySeconds} s after the end of the fault`],
    ['Acked meanwhile', status.acked],
    ['Lost', status.lost],
    ['Doubled', status.duplicated],
    ['Out of order', status.misordered],
  ];
  return [
    `# Drill ${metadata.name}`,
    '',
    '| What | |',
    '|---|---|',
    ...rows.map(([what, value]) => `| ${what} | ${value ?? '-'} |`),
    ...(told ? ['', told.message] : []),
  ].join('\n');
}

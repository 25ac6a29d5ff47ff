// What an alert consists of. Its runbook is a section of a page below docs/operating/runbooks/, named like the alert.
export interface Alert {
  name: string;
  /** critical: people notice now, or data is at risk. warning: look at it today. */
  severity: 'critical' | 'warning';
  /** how long the expression must hold */
  for: string;
  expr: string;
  /** one line, with the labels of what it is about */
  summary: string;
  description: string;
  /** page below docs/operating/runbooks/, without `.md` */
  page: 'delivery' | 'chat' | 'entry' | 'dependencies' | 'events' | 'cluster' | 'operator';
}

/** How the summaries name the ChatCluster. */
export const WHO = '{{ $labels.namespace }}/{{ $labels.chatcluster }}';

// Grafana's model of a dashboard, as far as ours need it: rows of panels on a grid of 24 columns, and the variables that they share.
import { createHash } from 'node:crypto';

export type Unit = 'short' | 'reqps' | 'percentunit' | 's' | 'bytes' | 'Bps' | 'ops' | 'bool';

export interface Query {
  expr: string;
  /** with labels in double braces */
  legend: string;
}

export interface Panel {
  title: string;
  description?: string;
  type?: 'timeseries' | 'stat' | 'table';
  unit?: Unit;
  queries: readonly Query[];
  /** values from which it turns yellow and red */
  thresholds?: readonly [yellow: number, red: number];
  /** of 24; stats have 4, others 8 */
  width?: number;
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

export interface Dashboard {
  /** part of the uid and of the file's name */
  name: string;
  title: string;
  description: string;
  /** Series of a ChatCluster: the variables namespace and chatcluster choose it. */
  ofCluster: boolean;
  rows: readonly Row[];
}

/** Of the model in Grafana 10.4 and 11; newer ones migrate it as they load it. */
const SCHEMA_VERSION = 39;
const SOURCE = { type: 'prometheus', uid: '${datasource}' };
const STAT = { width: 4, height: 4 };
const GRAPH = { width: 8, height: 8 };

/** Dashboards of one ChatCluster have uids and titles of their own: Grafana keeps one dashboard a uid. */
export interface DashboardOwner {
  namespace: string;
  cluster: string;
}

export function grafanaDashboard({ name, title, description, ofCluster, rows }: Dashboard, owner?: DashboardOwner): object {
  return {
    uid: owner
      ? `parley-${name}-${createHash('sha256').update(`${owner.namespace}/${owner.cluster}`).digest('hex').slice(0, 12)}`
      : `parley-${name}`,
    title: owner ? `${title} (${owner.namespace}/${owner.cluster})` : title,
    description,
    tags: ['parley'],
    timezone: 'browser',
    editable: true,
    graphTooltip: 1,
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    annotations: { list: [] },
    links: [
      { title: 'Parley', type: 'dashboards', tags: ['parley'], asDropdown: true, includeVars: true, keepTime: true, icon: 'external link' },
    ],
    templating: { list: [datasourceVariable(), ...(ofCluster ? clusterVariables(owner) : [])] },
    panels: layOut(rows),
  };
}

function datasourceVariable(): object {
  return {
    ...{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', refresh: 1, regex: '', hide: 0 },
    ...{ includeAll: false, multi: false, options: [], current: {} },
  };
}

function clusterVariables(owner: DashboardOwner | undefined): object[] {
  const chosen = (value?: string) =>
    value === undefined ? { selected: true, text: 'All', value: '$__all' } : { selected: true, text: value, value };
  const variable = (name: string, label: string, { query, current }: { query: string; current: object }) => ({
    ...{ name, label, type: 'query', datasource: SOURCE, definition: query, query: { query, refId: name }, refresh: 2, regex: '', sort: 1 },
    ...{ hide: 0, includeAll: true, allValue: '.*', multi: false, skipUrlSync: false, options: [], current },
  });
  return [
    variable('namespace', 'Namespace', { query: 'label_values(up{chatcluster!=""}, namespace)', current: chosen(owner?.namespace) }),
    variable('chatcluster', 'ChatCluster', {
      query: 'label_values(up{chatcluster!="",namespace=~"$namespace"}, chatcluster)',
      current: chosen(owner?.cluster),
    }),
  ];
}

/** From left to right, the next line when one is full; each row has a head of one line. */
function layOut(rows: readonly Row[]): object[] {
  const laid: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    laid.push({ id: laid.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of panels) {
      const { width, height } = panel.type === 'stat' ? STAT : GRAPH;
      const w = panel.width ?? width;
      if (x + w > 24) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      laid.push({ id: laid.length + 1, gridPos: { x, y, w, h: height }, ...drawn(panel) });
      x += w;
      tallest = Math.max(tallest, height);
    }
    y += tallest;
  }
  return laid;
}

function drawn({ title, description, type = 'timeseries', unit = 'short', queries, thresholds }: Panel): object {
  const steps = thresholds
    ? [
        { color: 'green', value: null },
        { color: 'yellow', value: thresholds[0] },
        { color: 'red', value: thresholds[1] },
      ]
    : [{ color: 'green', value: null }];
  return {
    type,
    title,
    ...(description === undefined ? {} : { description }),
    datasource: SOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps }, ...(type === 'timeseries' ? { custom: LINES } : {}) },
      overrides: [],
    },
    options: OPTIONS[type],
    targets: queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource: SOURCE, editorMode: 'code', expr, legendFormat: legend },
      ...(type === 'timeseries' ? { range: true } : { instant: true, range: false }),
      ...(type === 'table' ? { format: 'table' } : {}),
    })),
  };
}

const LINES = { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: false };
const OPTIONS = {
  timeseries: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
  stat: {
    ...{ colorMode: 'value', graphMode: 'none', justifyMode: 'auto', orientation: 'auto', textMode: 'auto' },
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  },
  table: { showHeader: true, cellHeight: 'sm', footer: { show: false, reducer: ['sum'], countRows: false, fields: '' } },
};

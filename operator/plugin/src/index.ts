// What tests use of the plugin.
export { diagnose, type Findings, type Seen } from './diagnose.ts';
export { report } from './drill-report.ts';
export { table } from './table.ts';

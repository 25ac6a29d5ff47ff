// What tests use of the plugin.
export { diagnose, type Findings, type Seen } from './diagnose.ts';
export { table } from './table.ts';

// What other packages may use: the configuration schema, for generated pages.
export { backupsConfig, type BackupsConfig } from './config.ts';

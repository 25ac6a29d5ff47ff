// What other packages may use: the configuration schema (for generated pages) and the composition root (for tests).
export { certificatesConfig, type CertificatesConfig } from './config.ts';
export { startCertificates, type RunningCertificates } from './service.ts';

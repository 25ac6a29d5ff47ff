// What tests and tools may use of the operator.
export { Controller } from './controller.ts';
export { startOperator } from './service.ts';

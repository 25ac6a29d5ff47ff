// REST services: the express application they start from, typed routes, problem details, the OpenAPI document.
export { addressGroup, clientIp, parseTrustedProxies, plainAddress, type TrustedProxies } from './client-ip.ts';
export { contextOf, createHttpApp, type HttpOptions, type HttpServer, listen, type RequestContext, sendProblem } from './http.ts';
export { refuseOtherMethods } from './methods.ts';
export { exampleOf } from './openapi-example.ts';
export { describeService, type ServiceDescription } from './openapi.ts';
export { PROBLEM_TYPE, problemOf, toAppError } from './problem.ts';
export { addRoute, type Answer, identityOf, requireUser, type RouteInput } from './route.ts';
export {
  startHttpService,
  type HttpServiceConfig,
  type HttpServiceContext,
  type HttpServiceParts,
  type Opening,
  type RunningHttpService,
  type Served,
} from './service.ts';

// Every REST route of auth, and those that each service has.
import { Type } from '@sinclair/typebox';
import { operation } from './operation.ts';
import {
  ApiKeyCreated,
  ApiKeyList,
  AuthAnswer,
  CreateApiKeyBody,
  HealthAnswer,
  LoginBody,
  PageQuery,
  PasswordBody,
  PublicKeys,
  RefreshBody,
  RegisterBody,
} from './rest.ts';

/** Served by every service about itself. */
export const ownOperations = {
  health: operation({
    method: 'get',
    path: '/api/health',
    tag: 'service',
    summary: 'Whether this process works',
    security: 'none',
    answers: { 200: HealthAnswer, 503: HealthAnswer },
  }),
  openapi: operation({
    method: 'get',
    path: '/api/openapi.json',
    tag: 'service',
    summary: 'This document',
    security: 'none',
    answers: { 200: Type.Object({ openapi: Type.String() }) },
  }),
};

const KeyPath = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) });

/** What auth serves. */
export const authOperations = {
  register: operation({
    method: 'post',
    path: '/api/v1/auth/register',
    tag: 'accounts',
    summary: 'Make an account and log in',
    security: 'api_key',
    body: RegisterBody,
    answers: { 201: AuthAnswer },
    errors: ['email_taken'],
    limited: true,
  }),
  login: operation({
    method: 'post',
    path: '/api/v1/auth/login',
    tag: 'accounts',
    summary: 'Log in',
    security: 'api_key',
    body: LoginBody,
    answers: { 200: AuthAnswer },
    errors: ['invalid_credentials'],
    limited: true,
  }),
  refresh: operation({
    method: 'post',
    path: '/api/v1/auth/refresh',
    tag: 'accounts',
    summary: 'Get a new pair of tokens for a refresh token',
    description: 'Each refresh token works once. One that comes a second time ends the session it belongs to.',
    security: 'none',
    body: RefreshBody,
    answers: { 200: AuthAnswer },
    errors: ['invalid_refresh_token'],
  }),
  logout: operation({
    method: 'post',
    path: '/api/v1/auth/logout',
    tag: 'accounts',
    summary: 'End this session and its sockets',
    security: 'bearer',
    answers: { 204: null },
  }),
  changePassword: operation({
    method: 'post',
    path: '/api/v1/auth/password',
    tag: 'accounts',
    summary: 'Change the password; all other sessions end',
    security: 'bearer',
    body: PasswordBody,
    answers: { 204: null },
    errors: ['invalid_credentials'],
    limited: true,
  }),
  listApiKeys: operation({
    method: 'get',
    path: '/api/v1/api-keys',
    tag: 'api keys',
    summary: 'List API keys, also revoked ones, in the order of their ids',
    security: 'admin_key',
    query: PageQuery,
    answers: { 200: ApiKeyList },
  }),
  createApiKey: operation({
    method: 'post',
    path: '/api/v1/api-keys',
    tag: 'api keys',
    summary: 'Make an API key; it is shown this once',
    security: 'admin_key',
    body: CreateApiKeyBody,
    answers: { 201: ApiKeyCreated },
  }),
  revokeApiKey: operation({
    method: 'delete',
    path: '/api/v1/api-keys/{id}',
    tag: 'api keys',
    summary: 'Revoke an API key',
    security: 'admin_key',
    params: KeyPath,
    answers: { 204: null },
    errors: ['not_found', 'conflict'],
  }),
  publicKeys: operation({
    method: 'get',
    path: '/.well-known/jwks.json',
    tag: 'service',
    summary: 'Public keys that access tokens are verified with',
    security: 'none',
    answers: { 200: PublicKeys },
  }),
};

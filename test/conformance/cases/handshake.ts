// Section 4: the opening handshake. The outcome is the status of the answer; any refusal is right where the RFC asks for one.
import { upgradeRequest } from '../raw-socket.ts';
import type { HandshakeCase } from './case.ts';

const refused = ['400', '404', '403', '405', '426', '501', '505'];

const without = (header: string) => (path: string) => upgradeRequest(path, { [header]: undefined });
const having = (headers: Record<string, string>) => (path: string) => upgradeRequest(path, headers);

export const handshakeCases: readonly HandshakeCase[] = [
  { section: '4.2.1', what: 'a correct handshake', request: (path) => upgradeRequest(path), expect: ['101'] },
  {
    section: '4.2.1',
    what: 'names and values of headers in other letters',
    request: having({ Upgrade: 'WebSocket', Connection: 'keep-alive, upgrade' }),
    expect: ['101'],
  },
  { section: '4.2.1', what: 'no Sec-WebSocket-Key', request: without('Sec-WebSocket-Key'), expect: refused },
  { section: '4.2.1', what: 'no Upgrade', request: without('Upgrade'), expect: refused },
  { section: '4.2.1', what: 'Upgrade to something else', request: having({ Upgrade: 'h2c' }), expect: refused },
  { section: '4.2.1', what: 'no Connection', request: without('Connection'), expect: refused },
  { section: '4.2.1', what: 'no Host', request: without('Host'), expect: refused },
  { section: '4.2.1', what: 'a key that is not 16 bytes', request: having({ 'Sec-WebSocket-Key': 'c2hvcnQ=' }), expect: refused },
  { section: '4.2.1', what: 'POST', request: (path) => upgradeRequest(path, {}, `POST ${path} HTTP/1.1`), expect: refused },
  { section: '4.2.1', what: 'HTTP/1.0', request: (path) => upgradeRequest(path, {}, `GET ${path} HTTP/1.0`), expect: refused },
  {
    section: '4.4',
    what: 'version 8',
    request: having({ 'Sec-WebSocket-Version': '8' }),
    expect: ['426'],
    loose: ['400', '404'],
  },
  { section: '4.4', what: 'no version', request: without('Sec-WebSocket-Version'), expect: ['426', '400', '404'] },
  { section: '4.2.2', what: 'an unknown path', request: () => upgradeRequest('/api/other'), expect: ['404'] },
  { section: '10.2', what: 'an Origin that is not allowed', request: having({ Origin: 'https://evil.example' }), expect: ['403'] },
  {
    section: '9.1',
    what: 'an extension is offered: none is taken',
    request: having({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
    expect: ['101'],
  },
  {
    section: '4.2.2',
    what: 'an unknown subprotocol is offered: none is chosen',
    request: having({ 'Sec-WebSocket-Protocol': 'chat, superchat' }),
    expect: ['101'],
  },
];

// For test-load-balance.sh: holds so many WebSockets at a time and prints the name of the instance that each one reached, one a line.
// The tokens come in PARLEY_TOKEN, with spaces between, so that none is in the list of processes.
import { clearTimeout, setTimeout } from 'node:timers';
import { WebSocket } from 'ws';

const WELCOME_MS = 10_000;
const REPLACED = 4409;

const [url = '', count = '0'] = process.argv.slice(2);
const tokens = (process.env.PARLEY_TOKEN ?? '').split(/\s+/).filter((token) => token !== '');
let replaced = 0;

/** Resolves with the socket and the instance's name once the server has said welcome. */
function open(token) {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, handshakeTimeout: WELCOME_MS });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`no welcome within ${WELCOME_MS / 1000} s`), WELCOME_MS);
    const fail = (reason) => {
      clearTimeout(timer);
      socket.terminate();
      reject(new Error(reason));
    };
    socket.on('error', (error) => fail(error.message));
    socket.on('unexpected-response', (_request, response) => fail(`the upgrade was answered with ${response.statusCode}`));
    socket.on('close', (code, reason) => {
      if (code === REPLACED) replaced++;
      fail(`closed with ${code} ${reason.toString()}`);
    });
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString());
      if (frame.type === 'rate_limit_exceeded') fail(`${frame.message}; try again in ${frame.retry_after} s, or with fewer --sockets`);
      if (frame.type === 'error') fail(`${frame.code}: ${frame.message}`);
      if (frame.type !== 'welcome') return;
      clearTimeout(timer);
      resolve({ socket, server: frame.server });
    });
  });
}

const sockets = [];
try {
  // One after the other: each goes to the instance that has the fewest then.
  for (let index = 0; index < Number(count); index++) {
    const { socket, server } = await open(tokens[index % tokens.length]);
    sockets.push(socket);
    process.stdout.write(`${server}\n`);
  }
} catch (error) {
  process.stderr.write(`test-load-balance: WebSocket ${sockets.length + 1} to ${url}: ${error.message}\n`);
  process.exitCode = 2;
}
if (replaced > 0)
  process.stderr.write(
    `note: ${replaced} sockets made room for newer ones of the same user (spec.chat.limits.connectionsPerUser); give tokens of more users in PARLEY_TOKEN\n`,
  );
for (const socket of sockets) socket.terminate();

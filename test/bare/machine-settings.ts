// How this machine reaches the registries, carried over to a bare one: names of hosts, proxies and authorities are the machine's affair.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Of npm's own variables only these: in a script that npm runs there are many more, which are of this checkout. */
const VARIABLES = [
  /^(https?|ftp|all|no)_proxy$/i,
  /^npm_config_(registry|cafile|proxy|https_proxy|noproxy)$/i,
  /^PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT|PROXY|TRUSTED_HOST|DEFAULT_TIMEOUT)$/,
  /^GO(PROXY|SUMDB|NOSUMDB|NOPROXY|PRIVATE|INSECURE)$/,
  /^(MAVEN_OPTS|MAVEN_ARGS|JAVA_TOOL_OPTIONS)$/,
  /^(SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/,
];

export const networkVariables = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && VARIABLES.some((pattern) => pattern.test(entry[0]));
    }),
  );

const AUTHORITIES = '/usr/local/share/ca-certificates';
const SYSTEM_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/pip.conf'];
const HOME_FILES = ['.config/pip/pip.conf', '.pip/pip.conf', '.m2/settings.xml', '.config/go/env'];

/** Copies the files; update-ca-certificates must run on the new machine afterwards. */
export function copyNetworkFiles(root: string): void {
  const copy = (from: string, to: string) => {
    if (!existsSync(from)) return;
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  };
  for (const file of SYSTEM_FILES) copy(file, file);
  for (const file of HOME_FILES) copy(join(homedir(), file), join('/root', file));
  for (const file of filesOf(AUTHORITIES)) copy(join(AUTHORITIES, file), join(AUTHORITIES, file));
  // Only how packages are fetched: the rest of a machine's settings is about what is installed there.
  const apt = '/etc/apt/apt.conf.d';
  const about = (file: string) => /^\s*Acquire\b/m.test(readFileSync(join(apt, file), 'utf8'));
  for (const file of filesOf(apt).filter(about)) copy(join(apt, file), join(apt, file));
  // Folders of this machine have no meaning there.
  const npm = join(homedir(), '.npmrc');
  if (existsSync(npm))
    writeFileSync(join(root, 'root/.npmrc'), readFileSync(npm, 'utf8').replaceAll(/^(nodedir|prefix|cache)\s*=.*\n/gm, ''));
}

const filesOf = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];

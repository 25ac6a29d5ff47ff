// What a bare machine is made with.
import { preparePrograms } from '../../kind/local/src/prepare.ts';
import { createProgress } from '../../kind/local/src/stack/progress.ts';

/** Installs mmdebstrap where it is missing; throws with what to do where a bare machine cannot be made. */
export async function prepareBare(print: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('A bare machine is made with mounts and chroot: run it as root.');
  await preparePrograms(
    [{ what: 'mmdebstrap', debianPackage: 'mmdebstrap', homebrewPackage: 'mmdebstrap', programs: ['mmdebstrap'] }],
    createProgress(print),
  );
}

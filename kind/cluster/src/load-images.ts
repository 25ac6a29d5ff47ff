// Gives images to the nodes that lack them: one archive, imported by the containerd of each node.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { imagesToLoad, parseNodeImages, type BuiltImage, type NodeImages } from './node-images.ts';
import type { Programs } from './programs.ts';

interface LoadInput {
  engine: Engine;
  nodes: readonly string[];
  images: readonly BuiltImage[];
  /** folder for the archive: it may have a gigabyte */
  folder: string;
  programs: Programs;
  say: (text: string) => void;
}

const ctr = ['ctr', '--namespace', 'k8s.io', 'images'];

export async function nodeImages(engine: Engine, node: string, programs: Programs): Promise<NodeImages> {
  return parseNodeImages(await programs.must(engine, ['exec', node, ...ctr, 'ls']));
}

/** Returns the number of images that were loaded. */
export async function loadImages(input: LoadInput): Promise<number> {
  const { engine, nodes, images, programs, say } = input;
  const missing = await Promise.all(
    nodes.map(async (node) => {
      const present = await nodeImages(engine, node, programs);
      const lacking = imagesToLoad(images, present);
      return { node, images: lacking, older: lacking.map(({ name }) => name).filter((name) => present.has(name)) };
    }),
  );
  const needed = images.filter(({ name }) => missing.some((each) => each.images.some((image) => image.name === name)));
  if (needed.length === 0) return 0;
  const folder = mkdtempSync(join(input.folder, 'load-'));
  try {
    // An image that one node has already costs little there: its layers are known.
    const archive = join(folder, 'images.tar');
    await save(engine, archive, needed, programs);
    const lacking = missing.filter((each) => each.images.length > 0);
    say(
      `loading ${needed.map(({ name }) => name.replace(/^docker\.io\/(library\/)?/, '')).join(', ')} into ${lacking.map(({ node }) => node).join(', ')}`,
    );
    await Promise.all(lacking.map((each) => importInto(engine, each, archive, programs)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return needed.length;
}

async function importInto(
  engine: Engine,
  { node, older }: { node: string; older: string[] },
  archive: string,
  programs: Programs,
): Promise<void> {
  // The node lists the configuration of an image when its name is new, not when the name moves on; what runs keeps its files.
  if (older.length > 0) await programs.must(engine, ['exec', node, ...ctr, 'rm', ...older]);
  // Unpacked by the node when the first pod needs it: most nodes run only some of the images.
  await programs.must(engine, ['exec', '-i', node, ...ctr, 'import', '--no-unpack', '-'], { input: { file: archive } });
}

async function save(engine: Engine, archive: string, images: readonly BuiltImage[], programs: Programs): Promise<void> {
  const names = images.map(({ name }) => name);
  const args =
    engine === 'podman' ? ['save', '-m', '--format', 'docker-archive', '-o', archive, ...names] : ['save', '-o', archive, ...names];
  await programs.must(engine, args);
}

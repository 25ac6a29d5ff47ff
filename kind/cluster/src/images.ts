// All images that the nodes must be given because they cannot pull them: the product's, and without a registry the stand-ins.
import { join } from 'node:path';
import { images as publicImages } from '@parley/cdk8s';
import { fullName, type BuiltImage } from './node-images.ts';
import type { Flavor } from './options.ts';
import { imageOf, productImages, type ProductInput } from './product-images.ts';

export interface BuildInput extends ProductInput {
  flavors: readonly Flavor[];
}

/** The stand-ins that a cluster with these flavors needs: the names of recipes in kind/offline/images, which are the keys of the table. */
export function standIns(flavors: readonly Flavor[]): (keyof typeof publicImages)[] {
  const all = Object.keys(publicImages) as (keyof typeof publicImages)[];
  return all.filter((name) => (name !== 'mysql' && name !== 'mariadb') || flavors.includes(name));
}

export async function buildImages(input: BuildInput): Promise<BuiltImage[]> {
  const { root, engine, offline, flavors, rebuild, programs, onLine } = input;
  if (!offline) return productImages(input);
  const names = standIns(flavors);
  const env = rebuild ? { PARLEY_REBUILD: '1' } : {};
  await programs.must(join(root, 'kind/offline/build-images.sh'), ['node', ...names], { env, onLine });
  const product = await productImages(input);
  return [...product, ...(await Promise.all(names.map((name) => imageOf(engine, fullName(publicImages[name]), programs))))];
}

import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Lets the service user read what it runs, in a clone that was made with a umask such as 077: folders down to the built
 * files, and the package.json beside them. Sources and whatever else lies there stay as they are, and so does everything
 * above the clone: the service user comes in by its bind mount.
 */
export function openCode(clone: string): void {
  const groups = ['libs', 'services'].map((name) => join(clone, name))
  const packages = groups.flatMap((group) => readdirSync(group).map((name) => join(group, name)))
  const folders = [clone, ...groups, ...packages, ...packages.map((path) => join(path, 'dist')), join(clone, 'node_modules')]
  for (const folder of folders) allow(folder, 0o055)
  for (const path of [clone, ...packages]) allow(join(path, 'package.json'), 0o044)
}

function allow(path: string, bits: number): void {
  if (!existsSync(path)) return
  const mode = statSync(path).mode & 0o7777
  if ((mode & bits) !== bits) chmodSync(path, mode | bits)
}

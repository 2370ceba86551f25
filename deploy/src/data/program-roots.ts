import { dirname, join } from 'node:path'

/** The folder of the clone: three levels above deploy/src/data and deploy/dist/data alike. */
export const repositoryDirectory = dirname(dirname(dirname(import.meta.dirname)))

/** Where PostgreSQL and Redis may lie: what `up` unpacked for itself, then what the machine has. */
export function programRoots(): string[] {
  return [join(repositoryDirectory, '.nubo/toolchain/packages'), '/']
}

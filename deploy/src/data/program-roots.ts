import { join } from 'node:path'
import { repositoryDirectory } from '../installation/place.js'

/** Where PostgreSQL and Redis may lie: what `up` unpacked for itself, then what the machine has. */
export function programRoots(): string[] {
  return [join(repositoryDirectory, '.nubo/toolchain/packages'), '/']
}

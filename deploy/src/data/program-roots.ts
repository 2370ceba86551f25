import { join } from 'node:path'
import { dataDirectory } from '../installation/place.js'

/** Where PostgreSQL and Redis may lie: what `up` unpacked for itself, then what the machine has. */
export function programRoots(): string[] {
  return [join(dataDirectory, 'toolchain/packages'), '/']
}

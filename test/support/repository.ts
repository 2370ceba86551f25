import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The clone's folder, from sources and from what was built of them alike. */
export const repository = above(import.meta.dirname)

function above(directory: string): string {
  return existsSync(join(directory, 'prisma/schema.prisma')) ? directory : above(dirname(directory))
}

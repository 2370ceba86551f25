/** Where PostgreSQL and Redis may lie: what the bootstrap unpacked, then what the machine has. */
export const programRoots = ['/var/cache/nubo/postgresql', '/'] as const

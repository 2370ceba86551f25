/** How services are run so that memory which a rush took is given back, and not kept for the next one. */
export const nodeFlags = [
  // V8 otherwise sizes its young generation for a busy service.
  '--max-semi-space-size=8',
  // By its limit V8 decides how far a heap may grow before it looks for garbage: fourfold where that is some gigabytes.
  '--max-old-space-size=1024',
]

/** glibc otherwise has an arena for each thread, and each keeps the 19 MiB in which a password was hashed. */
export const memoryEnvironment = { MALLOC_ARENA_MAX: '2' }

/** How services are run so that memory which a rush took is given back, and not kept for the next one. */
export const nodeFlags = [
  // V8 otherwise sizes its young generation for a busy service.
  '--max-semi-space-size=8',
  // A service that idles looks over its heap by itself (HeapReturn in libs/service-kit); V8 waits for more to be allocated.
  '--expose-gc',
]

/** glibc otherwise has an arena for each thread, and each keeps the 19 MiB in which a password was hashed. */
export const memoryEnvironment = { MALLOC_ARENA_MAX: '2' }

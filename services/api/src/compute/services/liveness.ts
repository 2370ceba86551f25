/** Who was not heard of for this long is down: three beats are missing then. */
export const serviceSilenceMs = 30_000

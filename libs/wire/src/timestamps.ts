const seconds = (time: Date) => time.toISOString().slice(0, 19)

/** Compute and image: `2026-11-23T08:00:00Z`. */
export const secondsTimestamp = (time: Date): string => `${seconds(time)}Z`

/** Identity: `2026-11-23T08:00:00.000000Z`; the fraction of tokens is always six digits. */
export const microsecondsTimestamp = (time: Date): string => `${time.toISOString().slice(0, -1)}000Z`

/** Compute's launched_at and instance actions: `2026-11-23T08:00:00.000000`, no zone. */
export const zonelessTimestamp = (time: Date): string => `${time.toISOString().slice(0, -1)}000`

/** What a client gave, for a message. */
export const words = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

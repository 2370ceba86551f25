export async function benchRealGuests(): Promise<void> {}

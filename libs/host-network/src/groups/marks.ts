/**
 * What connection tracking says of a packet, written onto it where tracking is done and read where the rules stand. Two bits
 * that nobody else uses, and none of them leaves the bridge.
 */
export const marks = {
  mask: '0x30000000',
  others: '0xcfffffff',
  /** Of a connection that was let through before. */
  established: 0x10_00_00_00,
  /** Fits no connection, or its connection is one that the rules let through no more. */
  refused: 0x20_00_00_00,
} as const

/** On a connection (its ct mark): no rule lets it through any more. */
export const revoked = 0x1

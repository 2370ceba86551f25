import { hostNamespace } from '../engine/objects.js'
import type { Piece, TableBuilder } from '../engine/piece.js'

/** On the bridges: who a port may say that it is, and what its groups let through. */
export const bridgeTable = (piece: Piece): TableBuilder => piece.table(hostNamespace, 'bridge', 'nubo')

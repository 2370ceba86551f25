import { createServer } from './create-server.js'
import { clearServer } from './clear-server.js'
import { deleteServer } from './delete-server.js'
import { rebootServer, rebootServerHard, startServer, stopServer } from './power.js'

/** Every operation there is. */
export const operations = [
  createServer,
  deleteServer,
  clearServer,
  startServer,
  stopServer,
  rebootServer,
  rebootServerHard,
] as const

export { clearServer, createServer, deleteServer, rebootServer, rebootServerHard, startServer, stopServer }

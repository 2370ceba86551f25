import { createServer } from './create-server.js'
import { clearServer } from './clear-server.js'
import { deleteServer } from './delete-server.js'
import { attachInterface, detachInterface } from './interfaces.js'
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
  attachInterface,
  detachInterface,
] as const

export {
  attachInterface,
  clearServer,
  createServer,
  deleteServer,
  detachInterface,
  rebootServer,
  rebootServerHard,
  startServer,
  stopServer,
}

import { createServer } from './create-server.js'
import { deleteServer } from './delete-server.js'
import { rebootServer, rebootServerHard, startServer, stopServer } from './power.js'

/** Every operation there is. */
export const operations = [createServer, deleteServer, startServer, stopServer, rebootServer, rebootServerHard] as const

export { createServer, deleteServer, rebootServer, rebootServerHard, startServer, stopServer }

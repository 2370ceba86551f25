import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { MutatedModules, type Mutation } from './mutation.js'

/** What a thread is given when it begins. */
export interface Gift {
  prepared: Blob
  mutation?: Mutation
}

// Where an error comes from is told to who lives its seed alone: here thousands a minute are for nobody to read.
Error.stackTraceLimit = 0

const { prepared, mutation } = workerData as Gift
const mutated = mutation && new MutatedModules(mutation)
if (mutated) registerHooks({ load: mutated.load })
// Only now, so that what they load is mutated.
const { Engine } = await import('./postgres/engine.js')
const { runHistory } = await import('./history.js')
mutated?.requireMet()

const engine = await Engine.open(prepared)
// An error that nobody handled would have ended a service: here it ends the thread, and is told of by `liveAll`.
parentPort!.on('message', async (seed: number | undefined) => {
  if (seed === undefined) return parentPort!.close()
  parentPort!.postMessage(await runHistory(engine, seed, { ...(mutation && { mutation }) }))
})
parentPort!.postMessage('ready')

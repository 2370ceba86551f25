import { parentPort } from 'node:worker_threads'
import { runHistory } from './history.js'
import { Engine } from './postgres/engine.js'

const engine = await Engine.open()
// An error that nobody handled would have ended a service: here it ends the thread, and is told of by `Crew`.
parentPort!.on('message', (seed: number) => void runHistory(engine, seed).then((result) => parentPort!.postMessage(result)))
parentPort!.postMessage('ready')

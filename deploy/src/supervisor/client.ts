import { connect } from 'node:net'
import { join } from 'node:path'
import type { ServiceStatus, SupervisorAnswer, SupervisorRequest } from './protocol.js'

/** Asks the supervisor whose socket lies in `directory`. Throws when it cannot do it, or is not there. */
export async function askSupervisor(directory: string, request: SupervisorRequest): Promise<ServiceStatus[]> {
  const text = await exchange(join(directory, 'supervisor.sock'), JSON.stringify(request))
  const answer = JSON.parse(text) as SupervisorAnswer
  if (!answer.ok) throw new Error(answer.error)
  return answer.services
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.end(request))
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.once('error', reject)
    socket.once('close', () => (text ? resolve(text) : reject(new Error('the supervisor went away'))))
  })
}

import { connect } from 'node:net'
import type { RedisAddress } from './redis-address.js'

/**
 * Asks Redis once whether it takes this user and has loaded its data: undefined when it has, else what is wrong. Spoken by
 * hand, because a client library's connection would be a dozen times the exchange.
 */
export function redisTrouble(address: RedisAddress, timeoutMs = 5000): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port })
    const answer = (trouble: string | undefined) => {
      socket.destroy()
      resolve(trouble)
    }
    let text = ''
    socket.setTimeout(timeoutMs, () => answer('no answer'))
    socket.on('error', (error) => answer(error.message))
    socket.on('close', () => answer('the connection was closed'))
    socket.on('connect', () => socket.write(`${command('AUTH', address.username, address.password)}${command('PING')}`))
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const error = /^-(.*)\r\n/m.exec(text)
      if (error) answer(error[1])
      else if (text.includes('+PONG\r\n')) answer(undefined)
    })
  })
}

/** A command as an array of bulk strings: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

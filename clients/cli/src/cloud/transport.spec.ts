import { expect, it } from '@jest/globals'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { Transport } from './transport.js'

async function withServer(
  handler: http.RequestListener,
  deed: (url: string, transport: Transport) => Promise<void>,
  { silenceTimeoutMs = 30_000 } = {},
): Promise<void> {
  const server = http.createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = new Transport({ verify: true, silenceTimeoutMs, environment: {} })
  try {
    await deed(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, transport)
  } finally {
    transport.close()
    server.closeAllConnections()
    server.close()
  }
}

/** More than any socket buffers. */
function largeBody(): Readable {
  return Readable.from(Array.from({ length: 500 }, () => Buffer.alloc(65_536)))
}

it.each(['keeps the connection', 'closes the connection'])(
  'hears the refusal of a server that reads no upload and %s',
  async (how) => {
    const refuse: http.RequestListener = (request, response) => {
      response.writeHead(413).end('Too large.', () => how.startsWith('closes') && request.socket.destroySoon())
    }
    await withServer(refuse, async (url, transport) => {
      const response = await transport.send({ method: 'PUT', url, headers: {}, body: { bytes: largeBody() } })
      expect([response.status, await response.text()]).toEqual([413, 'Too large.'])
    })
  },
)

it('takes up a connection again, and repeats a question when the server has closed it meanwhile', async () => {
  const sockets = new Set<unknown>()
  let answers = 0
  const handler: http.RequestListener = (request, response) => {
    sockets.add(request.socket)
    answers += 1
    // The third question finds the connection closed under it.
    if (answers === 3) request.socket.destroy()
    else response.end('x')
  }
  await withServer(handler, async (url, transport) => {
    for (let question = 0; question < 3; question += 1) {
      await (await transport.send({ method: 'GET', url, headers: {} })).text()
    }
    expect({ sockets: sockets.size, answers }).toEqual({ sockets: 2, answers: 4 })
  })
})

it('does not wait for ever on a server that says nothing', async () => {
  await withServer(
    () => undefined,
    async (url, transport) => {
      await expect(transport.send({ method: 'GET', url, headers: {} })).rejects.toMatchObject({
        code: 5,
        message: expect.stringMatching(/did not answer within 0.2 s$/),
      })
      await expect(transport.send({ method: 'POST', url, headers: {}, body: '{}' })).rejects.toMatchObject({
        message: expect.stringContaining('is not known'),
      })
    },
    { silenceTimeoutMs: 200 },
  )
})

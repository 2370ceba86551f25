import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Metrics } from './metrics.js'

/** Serves `/metrics` and nothing else at an address of its own, which tenants do not reach. */
export async function serveMetrics(metrics: Metrics, listen: { host: string; port: number }): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    metrics.text().then(
      (text) => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.requestTimeout = 5_000
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  return server
}

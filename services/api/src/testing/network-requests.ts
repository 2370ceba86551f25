import type { TestApi } from './test-api.js'

/** Sends requests to the network API as the bearer of `token`. */
export function networkRequests(api: TestApi, token: string) {
  return async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const response = await api.send(method, `/v2.0${path}`, { token, body, ...(headers && { headers }) })
    // eslint-disable-next-line typescript/no-explicit-any
    const parsed: any = response.body === '' ? undefined : JSON.parse(response.body)
    const error = parsed?.NeutronError as { type: string; message: string } | undefined
    return { status: response.statusCode, body: parsed, type: error?.type, message: error?.message, headers: response.headers }
  }
}

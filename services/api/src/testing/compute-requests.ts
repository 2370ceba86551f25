import type { TestApi } from './test-api.js'

export interface ComputeRequest {
  /** '2.55'; the newest where none is given. */
  version?: string
  body?: unknown
}

/** Sends requests to the compute API as the bearer of `token`. */
export function computeRequests(api: TestApi, token: string) {
  return async (method: string, path: string, { version = '2.96', body }: ComputeRequest = {}) => {
    const headers = { 'openstack-api-version': `compute ${version}` }
    const response = await api.send(method, `/v2.1${path}`, { token, headers, ...(body === undefined ? {} : { body }) })
    const text = response.body
    // eslint-disable-next-line typescript/no-explicit-any
    const parsed: any = text === '' ? undefined : JSON.parse(text)
    const [fault] = parsed && response.statusCode >= 400 ? (Object.values(parsed) as { message?: string }[]) : []
    return { status: response.statusCode, body: parsed, message: fault?.message, headers: response.headers }
  }
}

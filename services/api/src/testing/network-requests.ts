import { TestApi } from './test-api.js'

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

export type NetworkRequests = ReturnType<typeof networkRequests>

/** The whole api, the network API as the two projects that every cloud begins with ask it, and the ids of these by name. */
export async function startNetworkApi() {
  const api = await TestApi.start()
  const rows = await api.database.query<{ id: string; name: string }>('SELECT id, name FROM projects')
  const projects: Record<string, string> = Object.fromEntries(rows.map(({ id, name }) => [name, id]))
  const [admin, demo] = [networkRequests(api, await api.admin()), networkRequests(api, await api.demo())]
  return { api, admin, demo, projects, demoProject: projects['demo']! }
}

interface Readiness {
  checks?: Record<string, string>
  refusing?: string
}

export interface ServiceState {
  /** What keeps it from being of use, in a few words; absent when it is ready. */
  trouble?: string
  /** What it is ready without, for a while, and why it takes on no more work. */
  remarks?: string
}

/** Asks a service how it is. */
export async function serviceState(host: string, port: number, timeoutMs = 3000): Promise<ServiceState> {
  try {
    const response = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(timeoutMs) })
    const { checks = {}, refusing } = (await response.json()) as Readiness
    const failing = Object.entries(checks).filter(([, result]) => result !== 'ok')
    const words = failing.map(([name, result]) => `${name}: ${result}`)
    if (!response.ok) return { trouble: words.join('; ') || `status ${response.status}` }
    if (refusing !== undefined) words.push(`takes on no more work: ${refusing}`)
    return words.length > 0 ? { remarks: words.join('; ') } : {}
  } catch (error) {
    const { message, cause } = error as Error
    return { trouble: cause instanceof Error ? cause.message : message }
  }
}

/** Asks a service whether it is ready: undefined when it is, else what is wrong in a few words. */
export async function serviceTrouble(host: string, port: number): Promise<string | undefined> {
  return (await serviceState(host, port)).trouble
}

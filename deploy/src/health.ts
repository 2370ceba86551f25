/** Asks a service whether it is ready: undefined when it is, else what is wrong in a few words. */
export async function serviceTrouble(host: string, port: number, timeoutMs = 3000): Promise<string | undefined> {
  try {
    const response = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(timeoutMs) })
    if (response.ok) return undefined
    const report = (await response.json()) as { checks?: Record<string, string> }
    const failing = Object.entries(report.checks ?? {}).filter(([, result]) => result !== 'ok')
    return failing.map(([name, result]) => `${name}: ${result}`).join('; ') || `status ${response.status}`
  } catch (error) {
    const { message, cause } = error as Error
    return cause instanceof Error ? cause.message : message
  }
}

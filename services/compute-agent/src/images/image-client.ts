/** The bytes of an image from some byte on. */
export interface ImageAnswer {
  status: number
  /** The first byte that comes; not 0 only with status 206. */
  startsAt: number
  body: AsyncIterable<Uint8Array>
}

export interface ImageRequest {
  url: string
  credential: string
  /** The first byte that is wanted. */
  offset: number
  signal: AbortSignal
}

/** Fetches images. Rejects when nobody answers. */
export type ImageClient = (request: ImageRequest) => Promise<ImageAnswer>

export const httpImageClient: ImageClient = async ({ url, credential, offset, signal }) => {
  const response = await fetch(url, {
    headers: {
      Authorization: `Bearer ${credential}`,
      // Compressed on the way, an image would have another length and no parts.
      'Accept-Encoding': 'identity',
      ...(offset > 0 && { Range: `bytes=${offset}-` }),
    },
    redirect: 'error',
    signal,
  })
  const startsAt = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0)
  return { status: response.status, startsAt: response.status === 206 ? startsAt : 0, body: response.body ?? noBytes() }
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

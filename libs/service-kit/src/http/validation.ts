import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common'
import { InputError, type InputPlace } from '@nubo/wire'
import type { z } from 'zod'

const places: Partial<Record<ArgumentMetadata['type'], InputPlace>> = { body: 'body', query: 'query', param: 'path' }

/**
 * Holds `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })` against their zod schemas. Nest's own pipe for
 * Standard Schema gives messages alone; the wording of the real services needs the value and the kind of fault too.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const schema = metadata.schema as z.ZodType | undefined
    const place = places[metadata.type]
    if (!schema || !place) return value
    const result = schema.safeParse(value)
    if (!result.success) throw new InputError(place, value, result.error.issues)
    return result.data
  }
}

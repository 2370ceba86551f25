/** What every module may ask for. */
export const CONFIGURATION = Symbol('configuration')
export const LOGGER = Symbol('logger')
export const CLOCK = Symbol('clock')
export const RANDOM = Symbol('random')

export { hurriedClock } from './testing/hurried-clock.js'

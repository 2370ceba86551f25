export { Once } from './once.js'
export { findKeptAnswer, forgetOldAnswers } from './request-keys.js'

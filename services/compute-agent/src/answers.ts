import { agentQuestion, type Answer } from '@nubo/contract'
import { trace } from '@nubo/host-network'
import type { Message } from '@nubo/queue'
import { consoleOutputOf } from './console.js'
import type { KeptPlan } from './networks/kept-plan.js'
import { surveyOf, type SurveyTools } from './survey.js'

export interface AnswerTools extends SurveyTools {
  networkPlan: Pick<KeptPlan, 'plan'>
}

/** Answers questions that change nothing. */
export function answerWith(tools: AnswerTools): (question: Message) => Promise<Answer> {
  return async (message) => {
    const question = agentQuestion.parse(message)
    switch (question.kind) {
      case 'console-output':
        return { ok: true, value: await consoleOutputOf(tools, question) }
      case 'survey':
        return { ok: true, value: await surveyOf(tools, question.after) }
      case 'network-trace': {
        const { plan } = tools.networkPlan
        if (plan) return { ok: true, value: trace(plan, question) }
        return { ok: false, kind: 'NotFound', message: 'This host was not told of any networks yet.' }
      }
    }
  }
}

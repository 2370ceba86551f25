import { agentQuestion, type Answer } from '@nubo/contract'
import type { Message } from '@nubo/queue'
import { consoleOutputOf } from './console.js'
import { surveyOf, type SurveyTools } from './survey.js'

/** Answers questions that change nothing. */
export function answerWith(tools: SurveyTools): (question: Message) => Promise<Answer> {
  return async (message) => {
    const question = agentQuestion.parse(message)
    switch (question.kind) {
      case 'console-output':
        return { ok: true, value: await consoleOutputOf(tools, question) }
      case 'survey':
        return { ok: true, value: await surveyOf(tools, question.after) }
    }
  }
}

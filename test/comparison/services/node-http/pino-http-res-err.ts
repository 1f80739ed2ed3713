import { createServer } from 'node:http'
import { pinoHttp } from 'pino-http'
import { serve } from '../service.ts'
import { answerFailure, handle } from './service.ts'

const logger = pinoHttp()
await serve(
  createServer((request, response) => {
    logger(request, response)
    handle(request, response).catch(error => {
      response.err = error
      answerFailure(response)
    })
  }),
)

import { createServer } from 'node:http'
import { deedbox } from 'deedbox'
import { observe } from 'deedbox/http'
import { serve } from '../service.ts'
import { handle } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
await serve(createServer(observe(box, { unhandled: 'answer' })(handle)), () => box.close())

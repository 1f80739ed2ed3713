import morgan from 'morgan'
import { serveExpress } from './service.ts'

await serveExpress(app => app.use(morgan('combined')))
